import { GoogleGenAI } from "@google/genai";
import { schema, serve } from "./serve.mjs";

const model = "gemini-2.5-flash";
const tools = [{ functionDeclarations: [{ name: "unlock", description: "Opens the door", parametersJsonSchema: schema }] }];
const about = (text, config) => ({ model, contents: text, config });

// The answer is one, or what the pieces of a stream come to.
async function read(pieces) {
  const out = { text: "", calls: [] };
  for await (const piece of pieces) {
    for (const part of piece.candidates?.[0]?.content?.parts ?? []) {
      out.text += part.text ?? "";
      if (part.functionCall) out.calls.push({ name: part.functionCall.name, args: part.functionCall.args });
    }
    out.input = piece.usageMetadata?.promptTokenCount ?? out.input;
    out.output = piece.usageMetadata?.candidatesTokenCount ?? out.output;
  }
  return out;
}

serve((base, headers) => {
  const { models } = new GoogleGenAI({ apiKey: "nobody's", httpOptions: { baseUrl: base, headers } });
  return {
    chat: async (text) => read([await models.generateContent(about(text))]),
    tool: async (text) => read([await models.generateContent(about(text, { tools }))]),
    stream: async (text) => read(await models.generateContentStream(about(text))),
    toolStream: async (text) => read(await models.generateContentStream(about(text, { tools }))),
    embed: async (text) => ({ vector: (await models.embedContent({ model: "gemini-embedding-001", contents: text })).embeddings[0].values }),
    count: async (text) => ({ count: (await models.countTokens({ model, contents: text })).totalTokens }),
    abort: async (text) => {
      const stop = new AbortController();
      for await (const piece of await models.generateContentStream(about(text, { abortSignal: stop.signal }))) {
        if (piece.text) stop.abort();
      }
    },
  };
});
