import { CohereClient, CohereClientV2 } from "cohere-ai";
import { schema, serve } from "./serve.mjs";

const tools = [{ type: "function", function: { name: "unlock", description: "Opens the door", parameters: schema } }];
const about = (text) => ({ model: "command-a-03-2025", messages: [{ role: "user", content: text }] });

function read(answer) {
  const { content, toolCalls } = answer.message;
  const calls = (toolCalls ?? []).map((c) => ({ name: c.function.name, args: JSON.parse(c.function.arguments) }));
  return { text: (content ?? []).map((c) => c.text).join(""), calls, input: answer.usage.tokens.inputTokens, output: answer.usage.tokens.outputTokens };
}

async function gather(stream) {
  const out = { text: "", calls: [] };
  for await (const event of stream) {
    const message = event.delta?.message;
    switch (event.type) {
      case "content-delta":
        out.text += message.content.text;
        break;
      case "tool-call-start":
        out.calls.push({ name: message.toolCalls.function.name, args: message.toolCalls.function.arguments });
        break;
      case "tool-call-delta":
        out.calls.at(-1).args += message.toolCalls.function.arguments;
        break;
      case "message-end":
        if (event.delta.finishReason === "ERROR") throw new Error(event.delta.error);
        out.input = event.delta.usage.tokens.inputTokens;
        out.output = event.delta.usage.tokens.outputTokens;
    }
  }
  for (const c of out.calls) c.args = JSON.parse(c.args);
  return out;
}

serve((base, headers) => {
  const options = { baseUrl: base, token: "nobody's", headers, maxRetries: 0 };
  const client = new CohereClientV2(options);
  return {
    chat: async (text) => read(await client.chat(about(text))),
    tool: async (text) => read(await client.chat({ ...about(text), tools })),
    stream: async (text) => gather(await client.chatStream(about(text))),
    toolStream: async (text) => gather(await client.chatStream({ ...about(text), tools })),
    embed: async (text) => {
      const answer = await client.embed({ model: "embed-v4.0", inputType: "search_document", embeddingTypes: ["float"], texts: [text] });
      return { vector: answer.embeddings.float[0] };
    },
    count: async (text) => ({ count: (await new CohereClient(options).tokenize({ model: "command-a-03-2025", text })).tokens.length }),
    abort: async (text) => {
      const stop = new AbortController();
      for await (const event of await client.chatStream(about(text), { abortSignal: stop.signal })) {
        if (event.type === "content-delta") stop.abort();
      }
    },
  };
});
