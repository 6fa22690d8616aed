// Runs only the table service of Azurite: no telemetry, no blob or queue code,
// no access log. The package azurite starts it with
//
//   node -e <this file> <folder of the azurite package> <host> <port> <data folder, "" for memory>
//
// It prints "listening <port>" to standard output when it serves. It stops and
// writes its data to disk when its standard input ends: every operating system
// closes it when the parent ends, even after SIGKILL.
"use strict";

const path = require("node:path");
const { createRequire } = require("node:module");

const [home, host, port, location] = process.argv.slice(1);
const load = createRequire(path.join(home, "package.json"));
const TableConfiguration = load("./dist/src/table/TableConfiguration.js").default;
const TableServer = load("./dist/src/table/TableServer.js").default;
const { configLogger } = load("./dist/src/common/Logger.js");

configLogger(false);
const server = new TableServer(
  new TableConfiguration(
    host,
    Number(port),
    undefined, // keep-alive time-out: Azurite's own
    path.join(location, "tables.json"),
    false, // debug log
    false, // access log
    undefined,
    undefined,
    false, // loose: unsupported headers are rejected, as in Azure
    false, // skipApiVersionCheck
    "",
    "",
    "",
    undefined, // oauth
    true, // disableProductStyleUrl: the account is the first segment of the path
    location === "",
  ),
);

let closing = false;
async function close() {
  if (closing) {
    return;
  }
  closing = true;
  await server.close();
  process.exit(0);
}

function fail(err) {
  console.error(err && err.message ? err.message : String(err));
  process.exit(1);
}

server
  .start()
  .then(() => {
    const stop = () => close().catch(fail);
    process.stdin.on("end", stop).on("error", stop).resume();
    process.on("SIGINT", stop).on("SIGTERM", stop);
    console.log(`listening ${server.httpServer.address().port}`);
  })
  .catch(fail);
