// Checks the broker of SERVICEBUS_CONNECTION with Microsoft's client for
// JavaScript, which shares no code with the client for Go. The broker must have
// the queues `plain` and `dedup` (duplicate detection), and the topic `topic` with the
// subscriptions `all`, `red` (SQL filter `color = 'red'`) and `mine` (correlation
// filter: subject `mine`). The environment may also set SERVICEBUS_SENDER and
// SERVICEBUS_LISTENER, connection strings with one right each. The script prints a
// line for each check that passes, and exits with 1 at the first check that fails.

import assert from "node:assert/strict";
import { ServiceBusClient } from "@azure/service-bus";

const connection = process.env.SERVICEBUS_CONNECTION;
assert.ok(connection, "SERVICEBUS_CONNECTION is not set");

const client = new ServiceBusClient(connection, {
  retryOptions: { maxRetries: 3, retryDelayInMs: 50, maxRetryDelayInMs: 200, timeoutInMs: 20000 },
});
const sender = client.createSender("plain");
const receiver = client.createReceiver("plain");

async function receiveOne(from = receiver) {
  const [message] = await from.receiveMessages(1, { maxWaitTimeInMs: 20000 });
  assert.ok(message, "no message arrived");
  return message;
}

async function nothingWaits(from = receiver) {
  assert.deepEqual(await from.receiveMessages(1, { maxWaitTimeInMs: 200 }), []);
}

// receiveAll receives and completes all messages of a subscription of the topic, and
// returns their ids.
async function receiveAll(subscription) {
  const from = client.createReceiver("topic", subscription);
  const ids = [];
  for (;;) {
    const batch = await from.receiveMessages(10, { maxWaitTimeInMs: 300 });
    if (batch.length === 0) break;
    for (const m of batch) {
      ids.push(m.messageId);
      await from.completeMessage(m);
    }
  }
  await from.close();
  return ids;
}

const checks = {
  async "a message arrives as it was sent and is completed"() {
    await sender.sendMessages({
      messageId: "one",
      body: { step: 1 },
      subject: "wake",
      applicationProperties: { n: 7, s: "text" },
    });
    const m = await receiveOne();
    assert.equal(m.messageId, "one");
    assert.deepEqual(m.body, { step: 1 });
    assert.equal(m.subject, "wake");
    assert.deepEqual(m.applicationProperties, { n: 7, s: "text" });
    assert.equal(m.deliveryCount, 0);
    assert.ok(m.lockedUntilUtc > new Date());
    await receiver.completeMessage(m);
    await nothingWaits();
  },

  async "a message without an id gets one"() {
    await sender.sendMessages({ body: "anonymous" });
    const m = await receiveOne();
    assert.ok(m.messageId);
    await receiver.completeMessage(m);
  },

  async "a batch arrives whole and in order"() {
    const batch = await sender.createMessageBatch();
    for (let i = 0; i < 20; i++) {
      assert.ok(batch.tryAddMessage({ messageId: `batch-${i}`, body: i }));
    }
    await sender.sendMessages(batch);
    const bodies = [];
    while (bodies.length < 20) {
      for (const m of await receiver.receiveMessages(20, { maxWaitTimeInMs: 20000 })) {
        bodies.push(m.body);
        await receiver.completeMessage(m);
      }
    }
    assert.deepEqual(bodies, [...Array(20).keys()]);
  },

  async "a message larger than a frame arrives whole"() {
    const body = "x".repeat(200_000);
    await sender.sendMessages({ messageId: "large", body });
    const m = await receiveOne();
    assert.equal(m.body, body);
    await receiver.completeMessage(m);
  },

  async "a message larger than allowed is refused"() {
    await assert.rejects(sender.sendMessages({ body: "x".repeat(300_000) }), { code: "MessageSizeExceeded" });
  },

  async "a scheduled message waits for its time"() {
    const due = new Date(Date.now() + 1500);
    const [number] = await sender.scheduleMessages({ messageId: "later", body: "later" }, due);
    const [peeked] = await receiver.peekMessages(1, { fromSequenceNumber: number });
    assert.equal(peeked.state, "scheduled");
    assert.equal(+peeked.scheduledEnqueueTimeUtc, +due);
    const m = await receiveOne();
    assert.ok(Date.now() >= +due, "the message arrived early");
    assert.equal(m.messageId, "later");
    assert.equal(m.state, "active");
    await receiver.completeMessage(m);
  },

  async "a scheduled message that is cancelled never comes"() {
    const numbers = await sender.scheduleMessages({ body: "never" }, new Date(Date.now() + 3_600_000));
    await sender.cancelScheduledMessages(numbers);
    assert.deepEqual(await receiver.peekMessages(1), []);
    await assert.rejects(sender.cancelScheduledMessages(numbers));
  },

  async "peeking does not lock"() {
    await sender.sendMessages([{ body: 1 }, { body: 2 }]);
    assert.equal((await receiver.peekMessages(10)).length, 2);
    for (let i = 1; i <= 2; i++) {
      const m = await receiveOne();
      assert.equal(m.body, i);
      await receiver.completeMessage(m);
    }
  },

  async "an abandoned message comes back with its properties changed"() {
    await sender.sendMessages({ messageId: "again", body: "again", applicationProperties: { try: 1 } });
    const first = await receiveOne();
    await receiver.abandonMessage(first, { try: 2 });
    const second = await receiveOne();
    assert.equal(second.deliveryCount, 1);
    assert.deepEqual(second.applicationProperties, { try: 2 });
    await receiver.completeMessage(second);
  },

  async "a dead-lettered message is in the dead-letter queue with its reason"() {
    await sender.sendMessages({ messageId: "dead", body: "dead" });
    await receiver.deadLetterMessage(await receiveOne(), {
      deadLetterReason: "broken",
      deadLetterErrorDescription: "it does not parse",
    });
    await nothingWaits();
    const graveyard = client.createReceiver("plain", { subQueueType: "deadLetter" });
    const m = await receiveOne(graveyard);
    assert.equal(m.messageId, "dead");
    assert.equal(m.deadLetterReason, "broken");
    assert.equal(m.deadLetterErrorDescription, "it does not parse");
    await graveyard.completeMessage(m);
    await graveyard.close();
  },

  async "a deferred message is received by its number"() {
    await sender.sendMessages({ messageId: "aside", body: "aside" });
    const m = await receiveOne();
    await receiver.deferMessage(m);
    await nothingWaits();
    const [deferred] = await receiver.receiveDeferredMessages(m.sequenceNumber);
    assert.equal(deferred.messageId, "aside");
    assert.equal(deferred.state, "deferred");
    await receiver.completeMessage(deferred);
    assert.deepEqual(await receiver.peekMessages(1), []);
  },

  async "a lock is renewed"() {
    await sender.sendMessages({ body: "hold" });
    const m = await receiveOne();
    const before = +m.lockedUntilUtc;
    await new Promise((resolve) => setTimeout(resolve, 20));
    const after = await receiver.renewMessageLock(m);
    assert.ok(+after > before);
    await receiver.completeMessage(m);
  },

  async "receive-and-delete leaves nothing"() {
    await sender.sendMessages({ body: "gone" });
    const deleter = client.createReceiver("plain", { receiveMode: "receiveAndDelete" });
    assert.equal((await receiveOne(deleter)).body, "gone");
    await deleter.close();
    assert.deepEqual(await receiver.peekMessages(1), []);
  },

  async "a subscription gets a stream of messages"() {
    const seen = new Set();
    const streaming = client.createReceiver("plain");
    const done = new Promise((resolve, reject) => {
      streaming.subscribe({
        async processMessage(m) {
          seen.add(m.body);
          if (seen.size === 100) resolve();
        },
        async processError({ error }) {
          reject(error);
        },
      }, { maxConcurrentCalls: 10 });
    });
    await sender.sendMessages([...Array(100).keys()].map((body) => ({ body })));
    await done;
    await streaming.close();
    assert.deepEqual(await receiver.peekMessages(1), []);
  },

  async "a repeated id is dropped where duplicates are detected"() {
    const dedupSender = client.createSender("dedup");
    const dedupReceiver = client.createReceiver("dedup");
    await dedupSender.sendMessages({ messageId: "same", body: 1 });
    await dedupSender.sendMessages({ messageId: "same", body: 2 });
    await dedupSender.scheduleMessages({ messageId: "same", body: 3 }, new Date(Date.now() + 60_000));
    const m = await receiveOne(dedupReceiver);
    assert.equal(m.body, 1);
    await dedupReceiver.completeMessage(m);
    assert.deepEqual(await dedupReceiver.peekMessages(1), []);
    await dedupSender.close();
    await dedupReceiver.close();
  },

  async "an oversized scheduled message is refused as a sent one"() {
    await assert.rejects(
      sender.scheduleMessages({ body: "x".repeat(300_000) }, new Date(Date.now() + 3_600_000)),
      { code: "MessageSizeExceeded" },
    );
  },

  async "a topic delivers to the subscriptions whose filters match"() {
    const topic = client.createSender("topic");
    await topic.sendMessages([
      { messageId: "1", body: 1, applicationProperties: { color: "red" } },
      { messageId: "2", body: 2, subject: "mine", applicationProperties: { color: "blue" } },
      { messageId: "3", body: 3, subject: "mine", applicationProperties: { color: "red" } },
    ]);
    assert.deepEqual(await receiveAll("all"), ["1", "2", "3"]);
    assert.deepEqual(await receiveAll("red"), ["1", "3"]);
    assert.deepEqual(await receiveAll("mine"), ["2", "3"]);
    await topic.close();
  },

  async "rules are listed, created and deleted"() {
    const rules = client.createRuleManager("topic", "all");
    const listed = async () => {
      const all = [];
      for await (const rule of rules.listRules()) all.push(rule);
      return all;
    };
    const [original] = await listed();
    assert.equal(original.name, "$Default");
    assert.deepEqual(original.filter, { sqlExpression: "1=1" });
    await rules.createRule("green", { sqlExpression: "color = 'green'" });
    await rules.createRule("numbers", {
      subject: "n",
      messageId: "5",
      applicationProperties: { n: 7, text: "t", flag: true },
    });
    await rules.deleteRule("$Default");
    const all = await listed();
    assert.deepEqual(all.map((rule) => rule.name), ["green", "numbers"]);
    assert.equal(all[0].filter.sqlExpression, "color = 'green'");
    assert.equal(all[1].filter.subject, "n");
    assert.equal(all[1].filter.messageId, "5");
    assert.deepEqual(all[1].filter.applicationProperties, { n: 7, text: "t", flag: true });
    await assert.rejects(rules.createRule("green", { sqlExpression: "1=1" }), /already exists/);
    await assert.rejects(rules.createRule("broken", { sqlExpression: "color =" }), /unexpected end/);
    await assert.rejects(rules.deleteRule("nowhere"), /rule not found/);

    const topic = client.createSender("topic");
    await topic.sendMessages([
      { messageId: "4", body: 4, applicationProperties: { color: "green" } },
      { messageId: "5", body: 5, subject: "n", applicationProperties: { n: 7, text: "t", flag: true } },
      { messageId: "6", body: 6, subject: "n", applicationProperties: { n: 8, text: "t", flag: true } },
    ]);
    assert.deepEqual(await receiveAll("all"), ["4", "5"]);
    await topic.close();
  },

  async "a message to a topic is scheduled and cancelled"() {
    const topic = client.createSender("topic");
    const message = { messageId: "7", body: 7, applicationProperties: { color: "green" } };
    const numbers = await topic.scheduleMessages([message, { ...message, messageId: "8" }], new Date(Date.now() + 1000));
    await topic.cancelScheduledMessages(numbers[1]);
    const all = client.createReceiver("topic", "all");
    const m = await receiveOne(all);
    assert.equal(m.messageId, "7");
    await all.completeMessage(m);
    await nothingWaits(all);
    await all.close();
    await topic.close();
  },

  async "a subscription has its own dead-letter queue"() {
    const topic = client.createSender("topic");
    await topic.sendMessages({ messageId: "9", body: 9, applicationProperties: { color: "green" } });
    await topic.close();
    const all = client.createReceiver("topic", "all");
    await all.deadLetterMessage(await receiveOne(all), { deadLetterReason: "broken" });
    await all.close();
    const graveyard = client.createReceiver("topic", "all", { subQueueType: "deadLetter" });
    const m = await receiveOne(graveyard);
    assert.equal(m.messageId, "9");
    assert.equal(m.deadLetterReason, "broken");
    await graveyard.completeMessage(m);
    await graveyard.close();
  },

  async "sessions are refused by name"() {
    await assert.rejects(client.acceptNextSession("plain"), /does not support sessions/);
    await assert.rejects(client.acceptSession("plain", "s")); // the client replaces the text
  },

  async "a key for sending or listening allows nothing else"() {
    const { SERVICEBUS_SENDER: forSending, SERVICEBUS_LISTENER: forListening } = process.env;
    if (!forSending || !forListening) return;
    const options = { retryOptions: { maxRetries: 0 } };
    const sending = new ServiceBusClient(forSending, options);
    await sending.createSender("plain").sendMessages({ body: "allowed" });
    await assert.rejects(sending.createReceiver("plain").peekMessages(1), { code: "UnauthorizedAccess" });
    await sending.close();
    const listening = new ServiceBusClient(forListening, options);
    const m = await receiveOne(listening.createReceiver("plain", { receiveMode: "receiveAndDelete" }));
    assert.equal(m.body, "allowed");
    await assert.rejects(listening.createSender("plain").sendMessages({ body: 1 }), { code: "UnauthorizedAccess" });
    await listening.close();
  },

  async "an unknown queue is not found"() {
    const lost = client.createSender("nowhere");
    await assert.rejects(lost.sendMessages({ body: 1 }), { code: "MessagingEntityNotFound" });
  },

  async "a wrong key is refused"() {
    const stranger = new ServiceBusClient(connection.replace(/SharedAccessKey=[^;]+/, "SharedAccessKey=d3Jvbmc="), {
      retryOptions: { maxRetries: 0 },
    });
    await assert.rejects(stranger.createSender("plain").sendMessages({ body: 1 }), { code: "UnauthorizedAccess" });
    await stranger.close();
  },
};

let failed = false;
for (const [name, check] of Object.entries(checks)) {
  try {
    await check();
    console.log(`ok: ${name}`);
  } catch (error) {
    console.error(`not ok: ${name}`);
    console.error(error);
    failed = true;
    break;
  }
}
await client.close();
process.exit(failed ? 1 : 0);
