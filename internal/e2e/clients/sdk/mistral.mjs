import { Mistral } from "@mistralai/mistralai";
import { schema, serve } from "./serve.mjs";

const tools = [{ type: "function", function: { name: "unlock", description: "Opens the door", parameters: schema } }];
const about = (text) => ({ model: "mistral-small-latest", messages: [{ role: "user", content: text }] });
const parsed = (args) => (typeof args === "string" ? JSON.parse(args) : args);

function read(answer) {
  const { message } = answer.choices[0];
  const calls = (message.toolCalls ?? []).map((c) => ({ name: c.function.name, args: parsed(c.function.arguments) }));
  return { text: message.content, calls, input: answer.usage.promptTokens, output: answer.usage.completionTokens };
}

async function gather(stream) {
  const out = { text: "", calls: [] };
  for await (const { data } of stream) {
    const { delta, finishReason } = data.choices[0];
    if (finishReason === "error") throw new Error("finish reason: error"); // there is no other sign of it
    out.text += delta.content ?? "";
    for (const c of delta.toolCalls ?? []) out.calls.push({ name: c.function.name, args: parsed(c.function.arguments) });
    out.input = data.usage?.promptTokens ?? out.input;
    out.output = data.usage?.completionTokens ?? out.output;
  }
  return out;
}

serve((base, headers) => {
  const client = new Mistral({ serverURL: base, apiKey: "nobody's", retryConfig: { strategy: "none" } });
  const { chat, embeddings } = client;
  return {
    chat: async (text) => read(await chat.complete(about(text), { headers })),
    tool: async (text) => read(await chat.complete({ ...about(text), tools }, { headers })),
    stream: async (text) => gather(await chat.stream(about(text), { headers })),
    toolStream: async (text) => gather(await chat.stream({ ...about(text), tools }, { headers })),
    embed: async (text) => ({ vector: (await embeddings.create({ model: "mistral-embed", inputs: [text] }, { headers })).data[0].embedding }),
    abort: async (text) => {
      const stop = new AbortController();
      for await (const { data } of await chat.stream(about(text), { headers, signal: stop.signal })) {
        if (data.choices[0].delta.content) stop.abort();
      }
    },
  };
});
