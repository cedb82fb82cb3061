/**
 * The page: GraphiQL below a bar for the access token, with the example operations as its first tabs.
 *
 * GraphiQL keeps its tabs and history in sessionStorage, not localStorage: variables hold passwords, and those must not outlive
 * the browser tab.
 */
import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import './style.css';

import { GraphiQL } from 'graphiql';
import { createRoot } from 'react-dom/client';

import { examples } from './examples.js';
import { fetchGraphQL } from './session.js';
import { TokenBar } from './TokenBar.jsx';

// GraphiQL shows the variables of a default tab only once it is switched to; the first one is open from the start.
const firstVisit = sessionStorage.getItem('graphiql:tabState') === null;

createRoot(document.getElementById('root')).render(
  <>
    <TokenBar />
    <GraphiQL
      fetcher={fetchGraphQL}
      storage={sessionStorage}
      defaultTabs={examples}
      initialVariables={firstVisit ? examples[0].variables : undefined}
      defaultEditorToolsVisibility="variables"
    >
      <GraphiQL.Logo>Spacey</GraphiQL.Logo>
    </GraphiQL>
  </>,
);
