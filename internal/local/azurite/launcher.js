// Runs the services of Azurite without telemetry and without an access log: the
// table service, and on request the blob and the queue service. The package azurite
// starts it with
//
//   node -e <this file> <folder of the azurite package> <host> <port> <data folder, "" for memory> <blobs: true or false> <queues: true or false>
//
// It prints "listening <table port> <blob port> <queue port>" to standard output
// when it serves, with 0 for a service that does not run. It stops and writes its
// data to disk when its standard input ends: every operating system closes it when
// the parent ends, even after SIGKILL.
"use strict";

const path = require("node:path");
const { createRequire } = require("node:module");

const [home, host, port, location, blobs, queues] = process.argv.slice(1);
const load = createRequire(path.join(home, "package.json"));
const { configLogger } = load("./dist/src/common/Logger.js");

// common are the last arguments of each configuration.
const common = [
  false, // loose: unsupported headers are rejected, as in Azure
  false, // skipApiVersionCheck
  "",
  "",
  "",
  undefined, // oauth
  true, // disableProductStyleUrl: the account is the first segment of the path
  location === "",
];

function tables() {
  const Configuration = load("./dist/src/table/TableConfiguration.js").default;
  const Server = load("./dist/src/table/TableServer.js").default;
  return new Server(
    new Configuration(
      host,
      Number(port),
      undefined, // keep-alive time-out: Azurite's own
      path.join(location, "tables.json"),
      false, // debug log
      false, // access log
      undefined,
      undefined,
      ...common,
    ),
  );
}

// contents returns the blob or the queue service.
function contents(kind, name) {
  const Configuration = load(`./dist/src/${kind}/${name}Configuration.js`).default;
  const Server = load(`./dist/src/${kind}/${name}Server.js`).default;
  return new Server(
    new Configuration(
      host,
      0,
      undefined,
      path.join(location, `${kind}s.json`),
      path.join(location, `${kind}-extents.json`),
      [{ locationId: "Default", locationPath: path.join(location, `${kind}s`), maxConcurrency: 50 }],
      false,
      undefined,
      false,
      undefined,
      ...common,
    ),
  );
}

configLogger(false);
const table = tables();
const blob = blobs === "true" ? contents("blob", "Blob") : undefined;
const queue = queues === "true" ? contents("queue", "Queue") : undefined;
const servers = [table, blob, queue].filter(Boolean);

let closing = false;
async function close() {
  if (closing) {
    return;
  }
  closing = true;
  for (const server of servers) {
    await server.close();
  }
  process.exit(0);
}

function fail(err) {
  console.error(err && err.message ? err.message : String(err));
  process.exit(1);
}

async function start() {
  for (const server of servers) {
    await server.start();
  }
  const stop = () => close().catch(fail);
  process.stdin.on("end", stop).on("error", stop).resume();
  process.on("SIGINT", stop).on("SIGTERM", stop);
  const ports = [table, blob, queue].map((server) => (server ? server.httpServer.address().port : 0));
  console.log(`listening ${ports.join(" ")}`);
}

start().catch(fail);
