import Anthropic from "@anthropic-ai/sdk";
import { schema, serve } from "./serve.mjs";

const tools = [{ name: "unlock", description: "Opens the door", input_schema: schema }];
const about = (text) => ({ model: "claude-sonnet-5", max_tokens: 100, messages: [{ role: "user", content: text }] });

function read(answer) {
  const text = answer.content.filter((c) => c.type === "text").map((c) => c.text).join("");
  const calls = answer.content.filter((c) => c.type === "tool_use").map((c) => ({ name: c.name, args: c.input }));
  return { text, calls, input: answer.usage.input_tokens, output: answer.usage.output_tokens };
}

serve((base, headers) => {
  const client = new Anthropic({ baseURL: base, apiKey: "nobody's", defaultHeaders: headers, maxRetries: 0 });
  return {
    chat: async (text) => read(await client.messages.create(about(text))),
    tool: async (text) => read(await client.messages.create({ ...about(text), tools })),
    stream: async (text) => read(await client.messages.stream(about(text)).finalMessage()),
    toolStream: async (text) => read(await client.messages.stream({ ...about(text), tools }).finalMessage()),
    count: async (text) => {
      const { model, messages } = about(text);
      return { count: (await client.messages.countTokens({ model, messages })).input_tokens };
    },
    abort: async (text) => {
      const s = client.messages.stream(about(text));
      for await (const event of s) {
        if (event.type === "content_block_delta") s.abort();
      }
    },
  };
});
