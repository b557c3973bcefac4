// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// The provider's own pages: sign-in and sign-out, plain accessible HTML without scripts.

const escape = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

const page = (title, body) => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escape(title)}</title>
<style>body{font:17px/1.5 system-ui,sans-serif;max-width:24rem;margin:4rem auto;padding:0 1rem;color:#1d2733}
label{display:block;margin:1rem 0 .2rem}input[type=text],input[type=password]{width:100%;box-sizing:border-box;font:inherit;padding:.5rem;border:1px solid #68788a;border-radius:4px}
button{font:inherit;margin-top:1.4rem;padding:.55rem 1.4rem;border:0;border-radius:4px;background:#1a4f8b;color:#fff}</style></head>
<body><main><h1>${escape(title)}</h1>${body}</main></body></html>`;

export const loginPage = (action, hint = '') => page('Sign in at the provider', `<form data-e2e="login" method="post" action="${escape(action)}">
<label for="login">User name</label><input type="text" id="login" name="login" value="${escape(hint)}" autocomplete="username" required>
<label for="password">Password</label><input type="password" id="password" name="password" autocomplete="current-password" required>
<button type="submit">Sign in</button></form><p>This is a test provider: <code>alice</code> or <code>bob</code>, any password.</p>`);

/** `form` is oidc-provider's own hidden form with the id op.logoutForm. */
export const logoutPage = (form) => page('Sign out at the provider', `<p>Do you want to sign out here as well?</p>
${form.replace('</form>', '<input type="hidden" name="logout" value="yes"><button type="submit">Yes, sign me out</button></form>')}`);

export const donePage = () => page('Signed out', '<p>You are signed out at the provider.</p>');
export const errorPage = (text) => page('Provider error', `<p>${escape(text)}</p>`);
