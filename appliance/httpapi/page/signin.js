// How somebody signs in on a page: the forms of signin.html. The token is handed
// on and kept nowhere: not in an address, a cookie or a storage.
import { at, busy, call } from "/page/client.js";

// screens shows one part of a page at a time.
export const screens = (...parts) => (id, focus) => {
  for (const part of parts) at(part).hidden = part !== id;
  if (focus) at(focus).focus();
};

// signIn asks who somebody is, with show of the page's screens, and then goes on
// with their token; focus is what they come to then.
export const signIn = (show, focus, next) => {
  let firstFactor = "";

  const signedIn = async (token) => {
    firstFactor = "";
    const me = await call("GET", "/v1/auth/me", undefined, token);
    at("who").textContent = me.email;
    await next(token);
  };
  const waiting = (id) => (at(id).hidden ? "" : id);
  const toWhatIsShown = () => {
    at({ signin: "password", second: "otp" }[waiting("signin") || waiting("second")] || focus).focus();
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
    }).then(toWhatIsShown);
  });

  at("second").addEventListener("submit", (event) => {
    event.preventDefault();
    busy("Checking…", async () => {
      const code = at("otp").value;
      at("otp").value = "";
      const got = await call("POST", "/v1/auth/mfa/verify", { mfa_token: firstFactor, code });
      await signedIn(got.access_token);
    }).then(toWhatIsShown);
  });

  show("signin", "email");
};
