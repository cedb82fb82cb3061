/**
 * What the pages behind the links in mails do: sends the secret of the link to the graph, once the person asks for it.
 *
 * The secret stands behind the `#`, which no browser sends to a server, and is taken out of the address, and so out of the history, at once. Nothing
 * is done by opening a page: programs that look at the links in mails would use them up.
 */
const OPERATIONS = {
  'verify-email': {
    mutation: 'mutation VerifyEmail($input: VerifyEmailInput!) { done: verifyEmail(input: $input) { email } }',
    done: (email) => `Thank you: ${email} is confirmed. You can close this page.`,
  },
  'reset-password': {
    mutation: 'mutation ResetPassword($input: ResetPasswordInput!) { done: resetPassword(input: $input) { email } }',
    done: (email) => `Your password is set. Log in as ${email} with it.`,
  },
  'confirm-email-change': {
    mutation: 'mutation ConfirmEmailChange($input: ConfirmEmailChangeInput!) { done: confirmEmailChange(input: $input) { email } }',
    done: (email) => `Your account has the address ${email} now. Log in with it.`,
  },
  'undo-email-change': {
    mutation: 'mutation UndoEmailChange($input: UndoEmailChangeInput!) { done: undoEmailChange(input: $input) { email } }',
    done: (email) => `Your account has the address ${email} again. Log in with the password that you chose.`,
  },
};

const operation = OPERATIONS[document.body.dataset.page];
const form = document.querySelector('form');
const status = document.querySelector('[role="status"]');
const token = new URLSearchParams(location.hash.slice(1)).get('token');
history.replaceState(null, '', location.pathname);

async function send(input, credentials = 'same-origin') {
  const response = await fetch('/graphql', {
    method: 'POST',
    credentials,
    referrerPolicy: 'no-referrer',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
    body: JSON.stringify({ query: operation.mutation, variables: { input } }),
  });
  // It is the cookie of a session that has ended, which is no obstacle here.
  if (response.status === 401 && credentials !== 'omit') return send(input, 'omit');
  return response.json();
}

async function submit() {
  const password = form.querySelector('#password');
  if (password !== null && password.value !== form.querySelector('#again').value) return 'The two passwords are not the same.';
  const { data, errors } = await send({ token, ...(password && { newPassword: password.value }) });
  if (errors?.length) return `This did not work: ${errors[0].message}`;
  form.remove();
  return operation.done(data.done.email);
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const button = form.querySelector('button');
  button.disabled = true;
  status.textContent = 'One moment …';
  status.textContent = await submit().catch(() => 'The server cannot be reached now. Try again later.');
  button.disabled = false;
});

if (token === null) {
  form.remove();
  status.textContent = 'This link is not complete. Open the one in the mail.';
} else {
  form.hidden = false;
}
