/** The line that says what the operation in the editor may cost, and what the last one did. */
import { useSyncExternalStore } from 'react';

import { currentCosts, subscribeToCosts } from './cost.js';

const number = (value) => value.toLocaleString('en');
const points = (count) => `${number(count)} ${count === 1 ? 'point' : 'points'}`;

function estimated({ requestedQueryCost, maximumQueryCost, dearest = [] }) {
  const most = maximumQueryCost === undefined ? '' : ` of ${number(maximumQueryCost)} at most`;
  const fields = dearest.map(({ path, cost }) => `${path} ${number(cost)}`).join(', ');
  return `${points(requestedQueryCost)}${most}${fields && `: ${fields}`}`;
}

function answered({ actualQueryCost, throttleStatus }) {
  const left = throttleStatus ? `; ${number(throttleStatus.currentlyAvailable)} of ${number(throttleStatus.maximumAvailable)} left` : '';
  return `${points(actualQueryCost)}${left}`;
}

export function CostBar() {
  const costs = useSyncExternalStore(subscribeToCosts, currentCosts);
  return (
    <div className="cost-bar">
      <output aria-label="Estimated cost">This operation: {costs.estimate ? estimated(costs.estimate) : '–'}</output>
      <output aria-label="Cost of the last answer">Last answer: {costs.answered ? answered(costs.answered) : '–'}</output>
    </div>
  );
}
