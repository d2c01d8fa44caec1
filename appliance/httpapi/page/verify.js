// The page on which somebody lets a device act for them. The token that does it
// is in this module only: not in an address, a cookie or a storage, and gone
// with the page.
import { at, busy, call } from "/page/client.js";

const main = document.querySelector("main");
if (main.dataset.client) { // else there is nothing to approve: the page asks for a code
  const userCode = main.dataset.code;
  let token = "";
  let firstFactor = "";

  const show = (id, focus) => {
    for (const part of ["signin", "second", "decide", "done"]) at(part).hidden = part !== id;
    if (focus) at(focus).focus();
  };

  const signedIn = async (given) => {
    token = given;
    firstFactor = "";
    const me = await call("GET", "/v1/auth/me", undefined, token);
    at("who").textContent = me.email;
    show("decide", "approve");
  };

  at("signin").addEventListener("submit", (event) => {
    event.preventDefault();
    busy("Signing in…", async () => {
      const password = at("password").value;
      at("password").value = ""; // right or wrong, it has no business in the page any more
      const got = await call("POST", "/v1/auth/token", { email: at("email").value, password });
      if (got.mfa_required) {
        firstFactor = got.mfa_token;
        show("second", "otp");
        return;
      }
      await signedIn(got.access_token);
    }).then(() => { at(!at("second").hidden ? "otp" : !at("decide").hidden ? "approve" : "password").focus(); });
  });

  at("second").addEventListener("submit", (event) => {
    event.preventDefault();
    busy("Checking…", async () => {
      const code = at("otp").value;
      at("otp").value = "";
      const got = await call("POST", "/v1/auth/mfa/verify", { mfa_token: firstFactor, code });
      await signedIn(got.access_token);
    }).then(() => { at(at("decide").hidden ? "otp" : "approve").focus(); });
  });

  // decide spends the token: whoever comes to this screen next finds none.
  const decide = (what, outcome) => () => busy("One moment…", async () => {
    await call("POST", "/v1/auth/device/" + what, { user_code: userCode }, token);
    await call("DELETE", "/v1/auth/token", undefined, token).catch(() => {});
    token = "";
    at("outcome").textContent = outcome;
    show("done", "outcome");
  });
  at("approve").addEventListener("click", decide("approve", "Approved: your device is signed in"));
  at("deny").addEventListener("click", decide("deny", "Denied: your device was not signed in"));

  show("signin", "email");
}
