// Sends messages with Microsoft's client for JavaScript, as another system
// does: the JSON list of {messageId, contentType, body} on standard input goes
// to the queue of SERVICEBUS_QUEUE.

import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import { ServiceBusClient } from "@azure/service-bus";

const { SERVICEBUS_CONNECTION: connection, SERVICEBUS_QUEUE: queue } = process.env;
assert.ok(connection && queue, "SERVICEBUS_CONNECTION or SERVICEBUS_QUEUE is not set");

const messages = JSON.parse(await text(process.stdin));
const client = new ServiceBusClient(connection, {
  retryOptions: { maxRetries: 3, retryDelayInMs: 50, maxRetryDelayInMs: 200, timeoutInMs: 20000 },
});
const sender = client.createSender(queue);
for (const message of messages) {
  await sender.sendMessages(message);
}
await sender.close();
await client.close();
console.log(`sent ${messages.length}`);
