// The page on which somebody decides about what an agent wants to do. Looking at
// it decides nothing. The token is in this module only, and gone with the page.
import { at, busy, call } from "/page/client.js";
import { screens, signIn } from "/page/signin.js";

const approval = "/v1/approvals/" + encodeURIComponent(location.pathname.split("/").pop());
const show = screens("signin", "second", "decide", "done");
let token = "";

// tell shows what is asked as text: whoever asked wrote it.
const tell = (asked) => {
  at("summary").replaceChildren(...Object.entries(asked.summary).sort().flatMap(([name, value]) => {
    const term = document.createElement("dt");
    const text = document.createElement("dd");
    term.textContent = name.replaceAll("_", " ");
    text.textContent = value;
    return [term, text];
  }));
  at("why").textContent = asked.why.join("; ");
  const until = new Date(asked.expires_at).toLocaleString();
  const waits = asked.status === "pending";
  at("votes").textContent = waits
    ? `${asked.approved_by.length} of ${asked.approvals_needed} have agreed. It can be decided until ${until}.`
    : `It is ${asked.status}.`;
  at("open").hidden = !waits;
};

// decide spends the token: whoever comes to this screen next finds none.
const decide = (what, body, outcome) => () => busy("One moment…", async () => {
  const now = await call("POST", approval + "/" + what, body(), token);
  await call("DELETE", "/v1/auth/token", undefined, token).catch(() => {});
  token = "";
  at("outcome").textContent = outcome(now);
  show("done", "outcome");
});
at("approve").addEventListener("click", decide("approve", () => undefined, (now) => (
  now.status === "approved" ? "Approved: the agent may do it once" : `Approved by you: ${now.approved_by.length} of ${now.approvals_needed} have agreed`)));
at("deny").addEventListener("click", decide("deny", () => ({ reason: at("reason").value }), () => "Denied: it will not be done"));

signIn(show, "approve", async (given) => {
  token = given;
  tell(await call("GET", approval, undefined, token));
  at("lead").hidden = true;
  show("decide");
});
