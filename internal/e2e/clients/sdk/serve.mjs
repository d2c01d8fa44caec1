// Reads lines of JSON, each something to do with a provider's own SDK, and answers
// each with what the SDK gave to its user.
import { createInterface } from "node:readline";

// What an SDK raises, as a program that uses it can tell it apart.
function raised(e) {
  return { class: e?.constructor?.name, status: e?.status ?? e?.statusCode ?? 0, message: String(e?.message ?? e) };
}

export async function serve(connect) {
  for await (const line of createInterface({ input: process.stdin })) {
    const { base, headers, todo, text } = JSON.parse(line);
    let out;
    try {
      out = await connect(base, headers)[todo](text);
    } catch (e) {
      out = { error: raised(e) };
    }
    console.log(JSON.stringify(out));
  }
}

// The JSON Schema of the arguments of the tool that models may call here.
export const schema = { type: "object", properties: { word: { type: "string", description: "what opens it" } } };
