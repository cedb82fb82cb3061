//! A bounded queue of messages for one connection. Whoever puts one in waits for room, but not for ever.

use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

/// The end of the queue that operations put messages in. Clones are the same end.
#[derive(Debug)]
pub(crate) struct Outbox<T> {
    messages: mpsc::Sender<T>,
    too_slow: watch::Sender<bool>,
    patience: Duration,
}

/// The end of the queue that the connection takes messages from.
#[derive(Debug)]
pub(crate) struct Inbox<T> {
    messages: mpsc::Receiver<T>,
    too_slow: watch::Receiver<bool>,
}

/// What an [`Inbox`] gives.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken<T> {
    Message(T),
    /// No message will come any more.
    Closed,
    /// A message found no room for too long.
    TooSlow,
}

/// The connection is gone, or will be soon: nothing more is sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Gone;

/// A queue with room for `room` messages, in which each waits for room for `patience`.
pub(crate) fn queue<T>(room: usize, patience: Duration) -> (Outbox<T>, Inbox<T>) {
    let (sender, receiver) = mpsc::channel(room.max(1));
    let (slow, is_slow) = watch::channel(false);
    (
        Outbox { messages: sender, too_slow: slow, patience },
        Inbox { messages: receiver, too_slow: is_slow },
    )
}

impl<T> Clone for Outbox<T> {
    fn clone(&self) -> Self {
        Self {
            messages: self.messages.clone(),
            too_slow: self.too_slow.clone(),
            patience: self.patience,
        }
    }
}

impl<T> Outbox<T> {
    /// Puts a message in, once there is room.
    ///
    /// # Errors
    /// [`Gone`] when the connection is, or is ended because there was no room for too long.
    pub(crate) async fn put(&self, message: T) -> Result<(), Gone> {
        match timeout(self.patience, self.messages.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Gone),
            Err(_) => {
                self.too_slow.send_replace(true);
                Err(Gone)
            }
        }
    }

    /// Waits until nobody takes messages any more.
    pub(crate) async fn closed(&self) {
        self.messages.closed().await;
    }
}

impl<T> Inbox<T> {
    /// The next message. It may be dropped while waiting; nothing is lost.
    pub(crate) async fn take(&mut self) -> Taken<T> {
        tokio::select! {
            biased;
            Ok(_) = self.too_slow.wait_for(|too_slow| *too_slow) => Taken::TooSlow,
            message = self.messages.recv() => message.map_or(Taken::Closed, Taken::Message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn messages_come_in_order_until_all_outboxes_are_gone() {
        let (outbox, mut inbox) = queue(2, Duration::from_secs(1));
        outbox.clone().put(1).await.unwrap();
        outbox.put(2).await.unwrap();
        drop(outbox);
        assert_eq!(inbox.take().await, Taken::Message(1));
        assert_eq!(inbox.take().await, Taken::Message(2));
        assert_eq!(inbox.take().await, Taken::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_finds_no_room_waits_and_then_gives_up_on_the_client() {
        let (outbox, mut inbox) = queue(1, Duration::from_secs(1));
        outbox.put(1).await.unwrap();
        let waiting = outbox.clone();
        let waiting = tokio::spawn(async move { waiting.put(2).await });
        tokio::time::sleep(Duration::from_millis(900)).await;
        assert_eq!(inbox.take().await, Taken::Message(1));
        assert_eq!(waiting.await.unwrap(), Ok(()));

        assert_eq!(outbox.put(3).await, Err(Gone));
        assert_eq!(inbox.take().await, Taken::TooSlow);
    }

    #[tokio::test]
    async fn nothing_is_put_in_for_a_connection_that_is_gone() {
        let (outbox, inbox) = queue(1, Duration::from_secs(1));
        drop(inbox);
        outbox.closed().await;
        assert_eq!(outbox.put(1).await, Err(Gone));
    }
}
