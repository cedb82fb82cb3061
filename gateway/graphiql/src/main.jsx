/**
 * The page: GraphiQL below a bar for the access token and one for costs, with the example operations as its first tabs.
 *
 * GraphiQL keeps its tabs and history in sessionStorage, not localStorage: variables hold passwords, and those must not outlive
 * the browser tab.
 */
import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import './style.css';

import { GraphiQL } from 'graphiql';
import { createRoot } from 'react-dom/client';

import { CostBar } from './CostBar.jsx';
import { consider, noteAnswer } from './cost.js';
import { examples } from './examples.js';
import { fetchGraphQL } from './session.js';
import { TokenBar } from './TokenBar.jsx';

// GraphiQL shows the variables of a default tab only once it is switched to; the first one is open from the start.
const firstVisit = sessionStorage.getItem('graphiql:tabState') === null;

async function fetcher(params, options) {
  const result = await fetchGraphQL(params, options);
  // GraphiQL asks for the schema by itself.
  if (params.operationName !== 'IntrospectionQuery') noteAnswer(result);
  return result;
}

/** GraphiQL tells of each change of its tabs, but not of what they hold at first. */
function openTab() {
  const stored = JSON.parse(sessionStorage.getItem('graphiql:tabState') ?? 'null');
  return stored?.tabs[stored.activeTabIndex] ?? examples[0];
}
consider(openTab());

createRoot(document.getElementById('root')).render(
  <>
    <TokenBar />
    <CostBar />
    <GraphiQL
      fetcher={fetcher}
      onTabChange={({ tabs, activeTabIndex }) => consider(tabs[activeTabIndex])}
      storage={sessionStorage}
      defaultTabs={examples}
      initialVariables={firstVisit ? examples[0].variables : undefined}
      defaultEditorToolsVisibility="variables"
    >
      <GraphiQL.Logo>Spacey</GraphiQL.Logo>
    </GraphiQL>
  </>,
);
