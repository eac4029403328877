// Reads a bundle a line, {name: base64}, and answers with the verdict of the browser's implementation.

import { createInterface } from "node:readline";
import { verifyBundle } from "../../../api/web/recompute/verify.js";

for await (const line of createInterface({ input: process.stdin })) {
  const files = Object.fromEntries(
    Object.entries(JSON.parse(line)).map(([name, data]) => [name, new Uint8Array(Buffer.from(data, "base64"))]),
  );
  console.log(JSON.stringify(judge(files)));
}

function judge(files) {
  try {
    return verifyBundle(files);
  } catch (error) {
    return { missing: error.file ?? "", error: String(error) };
  }
}
