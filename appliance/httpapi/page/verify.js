// The page on which somebody lets a device act for them. The token that does it
// is in this module only, and gone with the page.
import { at, busy, call } from "/page/client.js";
import { screens, signIn } from "/page/signin.js";

const main = document.querySelector("main");
if (main.dataset.client) { // else there is nothing to approve: the page asks for a code
  const userCode = main.dataset.code;
  const show = screens("signin", "second", "decide", "done");
  let token = "";

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

  signIn(show, "approve", (given) => {
    token = given;
    show("decide", "approve");
  });
}
