// Reads lines of JSON, each something that was signed, and answers each with who
// signed it and what: by viem, which knows nothing of who made it.
import { createInterface } from "node:readline";
import { parseTransaction, recoverMessageAddress, recoverTransactionAddress, recoverTypedDataAddress, keccak256 } from "viem";

const text = (_, v) => (typeof v === "bigint" ? v.toString() : v);

async function read(q) {
  switch (q.kind) {
    case "transaction": {
      const tx = parseTransaction(q.raw);
      return { ...tx, from: await recoverTransactionAddress({ serializedTransaction: q.raw }), hash: keccak256(q.raw) };
    }
    case "message":
      return { from: await recoverMessageAddress({ message: q.message, signature: q.signature }) };
    case "typed":
      return { from: await recoverTypedDataAddress({ ...q.typed, signature: q.signature }) };
  }
  throw new Error("unknown kind " + q.kind);
}

for await (const line of createInterface({ input: process.stdin })) {
  let out;
  try {
    out = await read(JSON.parse(line));
  } catch (e) {
    out = { error: String(e) };
  }
  console.log(JSON.stringify(out, text));
}
