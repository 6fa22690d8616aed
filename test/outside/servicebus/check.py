"""Checks the broker of SERVICEBUS_CONNECTION with Microsoft's client for Python.

Up to version 7.8 the client uses uAMQP, a third AMQP implementation, written in C. It
authenticates with SASL MSSBCBS and speaks TLS only, so the caller provides a TLS proxy:
SERVICEBUS_TLS_PORT is its port on localhost, SERVICEBUS_TLS_CERT the file with its
certificate. The broker has the entities that check.mjs describes. The program prints a
line for each check that passes, and fails at the first check that fails.
"""

import datetime
import os
import re

from azure.servicebus import ServiceBusClient, ServiceBusMessage, ServiceBusSubQueue
from azure.servicebus._common import _configuration

# The client has no option for the port of a plain AMQP connection.
_configuration.DEFAULT_AMQPS_PORT = int(os.environ["SERVICEBUS_TLS_PORT"])

connection = re.sub(r"Endpoint=sb://[^;]+", "Endpoint=sb://localhost", os.environ["SERVICEBUS_CONNECTION"])
connection = connection.replace(";UseDevelopmentEmulator=true", "")
client = ServiceBusClient.from_connection_string(
    connection, connection_verify=os.environ["SERVICEBUS_TLS_CERT"], retry_total=1
)


def receive_one(receiver):
    received = receiver.receive_messages(max_message_count=1, max_wait_time=20)
    assert len(received) == 1, "no message arrived"
    return received[0]


def a_message_arrives_as_it_was_sent():
    with client.get_queue_sender("plain") as sender, client.get_queue_receiver("plain") as receiver:
        sender.send_messages(
            ServiceBusMessage("one", message_id="1", subject="wake", application_properties={"n": 7, "s": "text"})
        )
        m = receive_one(receiver)
        assert str(m) == "one" and m.message_id == "1" and m.subject == "wake"
        assert m.application_properties == {b"n": 7, b"s": b"text"}, m.application_properties
        receiver.complete_message(m)


def a_batch_arrives_in_order():
    with client.get_queue_sender("plain") as sender, client.get_queue_receiver("plain") as receiver:
        batch = sender.create_message_batch()
        for i in range(20):
            batch.add_message(ServiceBusMessage(str(i)))
        sender.send_messages(batch)
        bodies = []
        while len(bodies) < 20:
            m = receive_one(receiver)
            bodies.append(str(m))
            receiver.complete_message(m)
        assert bodies == [str(i) for i in range(20)], bodies


def messages_are_abandoned_renewed_and_dead_lettered():
    with client.get_queue_sender("plain") as sender, client.get_queue_receiver("plain") as receiver:
        sender.send_messages(ServiceBusMessage("settle"))
        receiver.abandon_message(receive_one(receiver))
        m = receive_one(receiver)
        assert m.delivery_count == 1
        receiver.renew_message_lock(m)
        receiver.dead_letter_message(m, reason="broken", error_description="it does not parse")
    with client.get_queue_receiver("plain", sub_queue=ServiceBusSubQueue.DEAD_LETTER) as dead:
        m = receive_one(dead)
        assert m.dead_letter_reason == "broken" and m.dead_letter_error_description == "it does not parse"
        dead.complete_message(m)


def a_scheduled_message_is_peeked_and_cancelled():
    due = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
    with client.get_queue_sender("plain") as sender, client.get_queue_receiver("plain") as receiver:
        numbers = sender.schedule_messages(ServiceBusMessage("later"), due)
        assert [str(m) for m in receiver.peek_messages()] == ["later"]
        sender.cancel_scheduled_messages(numbers)
        assert receiver.peek_messages() == []


def a_topic_delivers_to_matching_subscriptions():
    with client.get_topic_sender("topic") as sender:
        sender.send_messages(
            [
                ServiceBusMessage("red", application_properties={"color": "red"}),
                ServiceBusMessage("mine", subject="mine"),
            ]
        )
    for subscription, want in {"all": ["red", "mine"], "red": ["red"], "mine": ["mine"]}.items():
        with client.get_subscription_receiver("topic", subscription) as receiver:
            got = []
            for _ in want:
                m = receive_one(receiver)
                got.append(str(m))
                receiver.complete_message(m)
            assert got == want and receiver.peek_messages() == [], (subscription, got)


with client:
    for check in [
        a_message_arrives_as_it_was_sent,
        a_batch_arrives_in_order,
        messages_are_abandoned_renewed_and_dead_lettered,
        a_scheduled_message_is_peeked_and_cancelled,
        a_topic_delivers_to_matching_subscriptions,
    ]:
        check()
        print("ok:", check.__name__.replace("_", " "), flush=True)
