// Validates recorded HTTP exchanges against Azure's published API descriptions
// with oav, the validator of Azure's own teams.
//
//   node validate.mjs <folder of specs> <folder of traffic>
//
// The specs have a MANIFEST.json whose "files" list the path of each file
// ("local") and its original path ("origin"). The documents refer to each other
// by their original paths. The traffic is a folder of JSON files, each
// {liveRequest, liveResponse}. The result is a JSON array on standard output
// with one entry per file, in the order of the file names.
//
// The script uses the class of oav, because the command line of oav does not
// name files in its report, omits requests that match no operation, and fails
// at the end because its package lacks a template.
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

// Standard output carries only the result, but oav also logs there.
console.log = console.error;

// originTree copies the documents to their original paths, without the
// examples: only some of them are published, and oav stops at the first missing
// one.
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

// validate returns the operation of an exchange and its errors. An exchange that
// matches no operation, or that oav cannot validate, has an error.
async function validate(validator, exchange) {
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
  }, () => {}); // The log of oav repeats the result.
  await validator.initialize();
  const results = [];
  for (const name of fs.readdirSync(traffic).filter((n) => n.endsWith(".json")).sort()) {
    const exchange = JSON.parse(fs.readFileSync(path.join(traffic, name), "utf8"));
    results.push({ file: name, ...(await validate(validator, exchange)) });
  }
  fs.writeSync(1, JSON.stringify(results));
} finally {
  fs.rmSync(root, { recursive: true, force: true });
}
