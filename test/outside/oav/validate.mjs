// Judges recorded HTTP exchanges by Azure's published API descriptions, with
// oav, the validator that Azure's own teams use.
//
//   node validate.mjs <folder of specs> <folder of traffic>
//
// The specs are a MANIFEST.json whose "files" say where each file lies
// ("local") and where it lay at its origin ("origin"): the documents refer to
// one another by the latter. The traffic is a folder of JSON files, each
// {liveRequest, liveResponse}. The judgement is a JSON array on standard
// output, one entry per file in the order of their names.
//
// oav's class is used and not its command line, which names no file in its
// report, leaves out requests that match no operation, and fails at its end
// for want of a template that its package lacks.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { createRequire } from "node:module";

const { LiveValidator } = createRequire(import.meta.url)("oav");

const [specs, traffic] = process.argv.slice(2);
if (!specs || !traffic) {
  console.error("usage: node validate.mjs <folder of specs> <folder of traffic>");
  process.exit(2);
}

// Standard output is for the judgement alone; oav also talks there.
console.log = console.error;

// originTree copies the documents to where they refer to one another, without
// the examples: only some of them are published along, and oav stops at the
// first that is missing.
function originTree(root) {
  const { files } = JSON.parse(fs.readFileSync(path.join(specs, "MANIFEST.json"), "utf8"));
  for (const { local, origin } of files.filter((f) => !f.origin.includes("/examples/"))) {
    const text = fs.readFileSync(path.join(specs, local), "utf8");
    const bare = JSON.stringify(JSON.parse(text, (key, value) => (key === "x-ms-examples" ? undefined : value)));
    const target = path.join(root, origin);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.writeFileSync(target, bare);
  }
}

// judge says which operation an exchange is and what is wrong with it. An
// exchange that is no operation at all, or that oav cannot judge, has an error.
async function judge(validator, exchange) {
  const { requestValidationResult: request, responseValidationResult: response, runtimeException } =
    await validator.validateLiveRequestResponse(exchange);
  const texts = (result) => [
    ...(result?.errors ?? []).map((e) => `${e.code}: ${e.message} (${(e.pathsInPayload ?? []).join(", ")})`),
    ...(result?.runtimeException ? [`${result.runtimeException.code}: ${result.runtimeException.message}`] : []),
  ];
  const exception = runtimeException ? [`${runtimeException.code}: ${runtimeException.message}`] : [];
  return {
    operation: request?.operationInfo?.operationId ?? "",
    apiVersion: request?.operationInfo?.apiVersion ?? "",
    requestErrors: [...new Set([...exception, ...texts(request)])],
    responseErrors: [...new Set(texts(response))],
  };
}

const root = fs.mkdtempSync(path.join(os.tmpdir(), "specs-"));
try {
  originTree(root);
  const validator = new LiveValidator({
    directory: path.join(root, "specification"),
    swaggerPathsPattern: ["**/*.json"],
    excludedSwaggerPathsPattern: ["**/common-types/**"],
    git: { shouldClone: false },
    checkUnderFileRoot: false,
    loadValidatorInBackground: false,
    loadValidatorInInitialize: false,
  }, () => {}); // Its log repeats what the judgement says.
  await validator.initialize();
  const judgements = [];
  for (const name of fs.readdirSync(traffic).filter((n) => n.endsWith(".json")).sort()) {
    const exchange = JSON.parse(fs.readFileSync(path.join(traffic, name), "utf8"));
    judgements.push({ file: name, ...(await judge(validator, exchange)) });
  }
  fs.writeSync(1, JSON.stringify(judgements));
} finally {
  fs.rmSync(root, { recursive: true, force: true });
}
