/**
 * What a person does in GraphiQL, on a page that shows it: writing into its editors, and running what stands there.
 */

// The editors by their place on the page and by the name under which GraphiQL stores their text.
const EDITORS = {
  operation: { place: '.graphiql-query-editor', stored: 'graphiql:query' },
  variables: { place: '.graphiql-editor-tool', stored: 'graphiql:variables' },
};

/** GraphiQL on a page. */
export class GraphiQL {
  #page;

  constructor(page) {
    this.#page = page;
  }

  editor(name) {
    return this.#page.locator(EDITORS[name].place).locator('.view-lines').first();
  }

  /** Not with a click, which waits for animation frames; a busy machine draws too few of them. */
  focus(name) {
    return this.#page.locator(EDITORS[name].place).locator('textarea').first().focus();
  }

  /** GraphiQL takes note of a change after a moment, and runs what it knew before until then. */
  noted(name, text) {
    const is = ([key, part]) => sessionStorage.getItem(key)?.includes(part);
    return this.#page.waitForFunction(is, [EDITORS[name].stored, text], { polling: 50 });
  }

  /** Pastes over the text of an editor (which would add closing brackets to what is typed), and waits until GraphiQL took note. */
  async paste(name, text) {
    await this.focus(name);
    await this.#page.keyboard.press('Control+A');
    await this.#page.evaluate((pasted) => {
      const clipboardData = new DataTransfer();
      clipboardData.setData('text/plain', pasted);
      document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
    }, text);
    await this.noted(name, text);
  }

  async openTab(name) {
    await this.#page.getByRole('tab', { name }).click({ force: true });
    await this.noted('operation', ` ${name}`);
  }

  /** Waits until the answer contains `part`. */
  shows(part) {
    return this.#page.locator('.graphiql-response', { hasText: part }).waitFor();
  }

  /** Runs the first operation and waits until the answer contains `part`. */
  async run(part) {
    await this.focus('operation');
    await this.#page.keyboard.press('Control+Home');
    await this.#page.keyboard.press('Control+Enter');
    await this.shows(part);
  }
}
