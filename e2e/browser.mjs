/**
 * The browser of the tests, and pages of it that complain: of any request elsewhere than to the server under test, any breach of a
 * Content-Security-Policy, and any error on the console.
 *
 * Environment: `CHROMIUM`, the browser's program (default: where Debian installs it).
 */
export const BROWSER = {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox', // Chromium's own sandbox refuses to run as root, as in a container.
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
};

/** A page in a context of its own that can reach nothing but `origin`, and the list of what it has to complain of. */
export async function openPage(browser, origin, options = {}) {
  const complaints = [];
  const context = await browser.newContext(options);
  await context.route('**', (route) => {
    const url = route.request().url();
    if (new URL(url).origin === origin) return route.continue();
    complaints.push(`request to ${url}`);
    return route.abort();
  });
  context.setDefaultTimeout(30_000);
  const page = await context.newPage();
  // Chromium reports breaches of the policy, failed requests and refused workers as console errors.
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('requestfailed', (request) => {
    // Whoever leaves GraphiQL while an operation is priced does not wait for the price.
    if (request.headers()['x-cost'] !== 'dry-run') complaints.push(`${request.url()}: ${request.failure()?.errorText}`);
  });
  return { page, complaints };
}
