// Reads a bundle a line, {name: base64}, and answers with the verdict of the browser's implementation. With a file
// line.json, what was told of one site ({site, line, before, after}), that is judged by the rules instead.

import { createInterface } from "node:readline";
import { readRules } from "../../../api/web/recompute/files.js";
import { verifyAbsence, verifyLine } from "../../../api/web/recompute/line.js";
import { verifyBundle } from "../../../api/web/recompute/verify.js";

for await (const line of createInterface({ input: process.stdin })) {
  const files = Object.fromEntries(
    Object.entries(JSON.parse(line)).map(([name, data]) => [name, new Uint8Array(Buffer.from(data, "base64"))]),
  );
  console.log(JSON.stringify(judge(files)));
}

function judge(files) {
  try {
    return files["line.json"] ? judgeLine(files) : verifyBundle(files);
  } catch (error) {
    return { missing: error.file ?? "", error: String(error) };
  }
}

function judgeLine(files) {
  const { site, line, before, after } = JSON.parse(new TextDecoder().decode(files["line.json"]));
  const rules = readRules(files["rules.json"]);
  try {
    return { site: line ? verifyLine(rules, line) : verifyAbsence(rules, site, before, after) ?? null };
  } catch (error) {
    if (!error.rule) throw error;
    return { rule: error.rule };
  }
}
