// The page on which somebody enters a secret that an agent asks for. Vault and path
// are in the fragment of its address, which no server is sent. Value and token are
// in this module only, and gone with the page.
import { at, busy, call } from "/page/client.js";
import { screens, signIn } from "/page/signin.js";

const asked = new URLSearchParams(location.hash.slice(1));
const vault = "/v1/vaults/" + encodeURIComponent(asked.get("vault") || "");
const path = asked.get("path") || "";
const show = screens("signin", "second", "decide", "done");
let token = "";

// The token is spent: whoever comes to this screen next finds none.
at("decide").addEventListener("submit", (event) => {
  event.preventDefault();
  busy("Storing it…", async () => {
    const value = at("value").value;
    await call("PUT", vault + "/secrets/" + path.split("/").map(encodeURIComponent).join("/"), { value }, token);
    at("value").value = "";
    await call("DELETE", "/v1/auth/token", undefined, token).catch(() => {});
    token = "";
    show("done", "outcome");
  });
});

signIn(show, "value", async (given) => {
  token = given;
  const of = await call("GET", vault, undefined, token);
  if (of.cmek_enabled) throw new Error("Values of this vault are encrypted before they are sent. Store it with: oneclaw secret set");
  at("vault").textContent = of.name;
  at("path").textContent = path;
  at("lead").hidden = true;
  show("decide");
});
