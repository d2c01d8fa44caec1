// An MCP client that does what it is told, line by line: the first says how to reach
// the server, each later one which tool to call, or what else to ask for. The SDK
// checks what a tool answers against the schema that the tool announced.
import { createInterface } from "node:readline";
import { ClientCredentialsProvider } from "@modelcontextprotocol/sdk/client/auth-extensions.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const client = new Client({ name: "e2e", version: "1" });

async function connect({ url, headers, oauth, command, args, env }) {
  await client.connect(url
    ? new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers }, authProvider: oauth && new ClientCredentialsProvider(oauth) })
    : new StdioClientTransport({ command, args, env, stderr: "ignore" }));
  const { tools } = await client.listTools();
  return { text: tools.map((t) => t.name).join(" ") };
}

async function call({ tool, args }) {
  const progress = [];
  const r = await client.callTool({ name: tool, arguments: args }, undefined, { onprogress: (p) => progress.push(p.message) });
  return { text: r.content.map((c) => c.text).join("\n"), failed: !!r.isError, structured: r.structuredContent, progress };
}

async function ask({ read, prompt, complete, args }) {
  if (read) return { text: (await client.readResource({ uri: read })).contents[0].text };
  if (prompt) return { text: (await client.getPrompt({ name: prompt, arguments: args })).messages[0].content.text };
  return { text: (await client.complete(complete)).completion.values.join(" ") };
}

for await (const line of createInterface({ input: process.stdin })) {
  const todo = JSON.parse(line);
  let out;
  try {
    out = await (todo.tool ? call(todo) : todo.connect ? connect(todo.connect) : ask(todo));
  } catch (e) {
    out = { error: String(e.message ?? e) };
  }
  console.log(JSON.stringify(out));
}
await client.close();
process.exit(0); // a stream may still wait for news
