// What the pages have in common. Nothing of it outlives the page.
export const at = (id) => document.getElementById(id);

export const say = (text) => { at("status").textContent = text; };

export const fail = (text) => {
  at("error").textContent = text;
  at("error").hidden = !text;
};

// call asks the API; what it refuses is an Error with its text and code.
export const call = async (method, path, body, token) => {
  const headers = { "Content-Type": "application/json" };
  if (token) headers.Authorization = "Bearer " + token;
  const answer = await fetch(path, {
    method, headers, body: body && JSON.stringify(body),
    credentials: "omit", cache: "no-store", redirect: "error", referrerPolicy: "no-referrer",
  });
  const text = await answer.text();
  const data = text ? JSON.parse(text) : {};
  if (answer.ok) return data;
  let why = data.detail || "Something went wrong";
  const wait = answer.headers.get("Retry-After");
  if (answer.status === 429 && wait) why += ` (${wait} s)`;
  throw Object.assign(new Error(why), { code: data.code });
};

// busy keeps the buttons from being pressed twice and shows what went wrong.
export const busy = async (text, work) => {
  const buttons = [...document.querySelectorAll("button")];
  buttons.forEach((b) => { b.disabled = true; });
  fail("");
  say(text);
  try {
    await work();
  } catch (err) {
    fail(err instanceof TypeError ? "The appliance could not be reached" : err.message);
  } finally {
    say("");
    buttons.forEach((b) => { b.disabled = false; });
  }
};
