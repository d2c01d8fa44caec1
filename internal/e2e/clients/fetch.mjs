// Sends what comes line by line with Node's own fetch, and prints what came
// back: the clients that speak with it add headers of their own to ours, and
// write URLs and empty bodies in their own way.
import { createInterface } from "node:readline";

for await (const line of createInterface({ input: process.stdin })) {
  const { url, method, headers, body } = JSON.parse(line);
  let out;
  try {
    const res = await fetch(url, { method, headers, body });
    out = { status: res.status, type: res.headers.get("content-type"), text: await res.text() };
  } catch (e) {
    out = { error: String(e.cause ?? e) };
  }
  console.log(JSON.stringify(out));
}
