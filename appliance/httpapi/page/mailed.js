// The pages that links in mails open. Opening one decides nothing: mail programs
// do that too. The token comes behind the # of the link, which browsers send
// nowhere; from there it goes into this module, and out of the address.
import { at, busy, call, fail } from "/page/client.js";

const page = document.querySelector("main").dataset.page;
let token = "";

const ask = () => { // for the token, if the link did not have it
  at("pasted").hidden = Boolean(token);
  at("token").required = !token;
  if (at("forgot")) at("forgot").hidden = Boolean(token);
};

const take = () => {
  const found = new URLSearchParams(location.hash.slice(1)).get("token");
  if (location.hash) history.replaceState(null, "", location.pathname);
  if (found) token = found;
  ask();
};

// first is where somebody at a keyboard goes on.
const first = () => [...at("act").querySelectorAll("input, button")].find((e) => e.offsetParent !== null);

const done = () => {
  at("act").hidden = true;
  if (at("forgot")) at("forgot").hidden = true;
  at("lead").hidden = true;
  at("done").hidden = false;
  at("outcome").focus();
};

// leave ends the session that came with the account: nobody uses it.
const leave = (session) => call("DELETE", "/v1/auth/token", undefined, session).catch(() => {});

const acts = {
  "verify-email": async () => leave((await call("POST", "/v1/auth/verify-email", { token })).access_token),
  "reset-password": (password) => call("POST", "/v1/auth/reset-password", { token, new_password: password }),
  "accept-invite": async (password) => leave((await call("POST", "/v1/org/invitations/accept",
    { token, password, display_name: at("name").value })).access_token),
};

// chosen is the password, typed twice alike and gone from the page.
const chosen = () => {
  if (!at("password")) return undefined;
  const [password, again] = [at("password").value, at("again").value];
  at("password").value = at("again").value = "";
  if (password !== again) throw new Error("The two passwords are not the same");
  return password;
};

at("act").addEventListener("submit", (event) => {
  event.preventDefault();
  at("next").hidden = true;
  busy("One moment…", async () => {
    token = token || at("token").value.trim();
    try {
      await acts[page](chosen());
    } catch (err) {
      if (err.code === "invalid_or_expired_token") {
        token = at("token").value = "";
        at("next").hidden = false;
        ask();
      }
      throw err;
    }
    token = at("token").value = "";
    done();
  }).then(() => { if (!at("act").hidden) first().focus(); });
});

at("forgot")?.addEventListener("submit", (event) => {
  event.preventDefault();
  at("next").hidden = true;
  busy("One moment…", async () => {
    at("sent").textContent = (await call("POST", "/v1/auth/forgot-password", { email: at("email").value })).message;
    at("sent").hidden = false;
  });
});

addEventListener("hashchange", () => { take(); fail(""); });
take();
at("act").hidden = false;
first().focus();
