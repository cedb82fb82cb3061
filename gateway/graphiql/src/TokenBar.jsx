/** The bar above GraphiQL that shows and accepts the access token. */
import { useSyncExternalStore } from 'react';

import { currentSession, setToken, subscribe } from './session.js';

const HINT = 'Kept in this browser tab only. Run “LogIn” to get one.';

export function TokenBar() {
  const { token, notice } = useSyncExternalStore(subscribe, currentSession);
  return (
    <form className="token-bar" onSubmit={(event) => event.preventDefault()}>
      <label htmlFor="access-token">Access token</label>
      <input
        id="access-token"
        value={token}
        onChange={(event) => setToken(event.target.value)}
        placeholder="none: operations are sent as an anonymous visitor"
        autoComplete="off"
        spellCheck={false}
      />
      <button type="button" disabled={!token} onClick={() => setToken('')}>
        Forget
      </button>
      <output htmlFor="access-token">{notice || HINT}</output>
    </form>
  );
}
