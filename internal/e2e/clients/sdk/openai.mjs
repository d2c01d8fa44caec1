import OpenAI from "openai";
import { schema, serve } from "./serve.mjs";

const tools = [{ type: "function", function: { name: "unlock", description: "Opens the door", parameters: schema } }];
const about = (text) => ({ model: "gpt-4o-mini", messages: [{ role: "user", content: text }] });

function read(answer) {
  const { message } = answer.choices[0];
  const calls = (message.tool_calls ?? []).map((c) => ({ name: c.function.name, args: JSON.parse(c.function.arguments) }));
  return { text: message.content ?? "", calls, input: answer.usage?.prompt_tokens, output: answer.usage?.completion_tokens };
}

function respond(answer) {
  const calls = answer.output.filter((o) => o.type === "function_call").map((c) => ({ name: c.name, args: JSON.parse(c.arguments) }));
  return { text: answer.output_text, calls, input: answer.usage.input_tokens, output: answer.usage.output_tokens };
}

serve((base, headers) => {
  const client = new OpenAI({ baseURL: base + "/v1", apiKey: "nobody's", defaultHeaders: headers, maxRetries: 0 });
  const stream = (question) => client.chat.completions.stream({ ...question, stream_options: { include_usage: true } });
  return {
    chat: async (text) => read(await client.chat.completions.create(about(text))),
    tool: async (text) => read(await client.chat.completions.create({ ...about(text), tools })),
    stream: async (text) => read(await stream(about(text)).finalChatCompletion()),
    toolStream: async (text) => read(await stream({ ...about(text), tools }).finalChatCompletion()),
    respond: async (text) => respond(await client.responses.create({ model: "gpt-5", input: text })),
    respondStream: async (text) => respond(await client.responses.stream({ model: "gpt-5", input: text }).finalResponse()),
    embed: async (text) => ({ vector: (await client.embeddings.create({ model: "text-embedding-3-small", input: text })).data[0].embedding }),
    abort: async (text) => {
      const s = stream(about(text));
      for await (const chunk of s) {
        if (chunk.choices[0].delta.content) s.abort();
      }
    },
  };
});
