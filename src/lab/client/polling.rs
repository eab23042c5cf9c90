//! Short and long polling.

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};

use super::{Inbox, Order};
use crate::lab::http::Failure;
use crate::lab::http::Http;

/// Asks every interval.
pub struct Short {
    connections: Vec<Http>,
    order: Order,
}

impl Short {
    pub async fn connect(order: Order) -> Result<Self, Failure> {
        let mut connections = Vec::new();
        for _ in 0..order.pollers.max(1) {
            connections.push(Http::connect(order.server).await?);
        }
        Ok(Self { connections, order })
    }

    pub async fn run(self, inbox: Arc<dyn Inbox>) -> Result<(), Failure> {
        let start = Instant::now() + self.order.first;
        let count = self.connections.len() as u32;
        let mut polls = JoinSet::new();
        for (turn, http) in (0..).zip(self.connections) {
            let (inbox, order) = (Arc::clone(&inbox), self.order.clone());
            let first = start + order.interval * turn;
            polls.spawn(async move {
                if order.closed_loop {
                    again(http, inbox, order, first).await
                } else {
                    every(http, inbox, order, first, count).await
                }
            });
        }
        while let Some(result) = polls.join_next().await {
            result.map_err(|e| e.to_string())??;
        }
        Ok(())
    }
}

/// A request every so often, answered or not.
async fn every(
    mut http: Http,
    inbox: Arc<dyn Inbox>,
    order: Order,
    first: Instant,
    turns: u32,
) -> Result<(), Failure> {
    let mut clock = interval_at(first, order.interval * turns);
    clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        clock.tick().await;
        poll(&mut http, &*inbox, &order).await?;
    }
}

/// A request so long after the answer to the last.
async fn again(mut http: Http, inbox: Arc<dyn Inbox>, order: Order, first: Instant) -> Result<(), Failure> {
    tokio::time::sleep_until(first).await;
    loop {
        poll(&mut http, &*inbox, &order).await?;
        sleep(order.interval).await;
    }
}

/// Asks again as soon as it is answered.
pub struct Long {
    http: Http,
    order: Order,
}

impl Long {
    pub async fn connect(order: Order) -> Result<Self, Failure> {
        Ok(Self { http: Http::connect(order.server).await?, order })
    }

    pub async fn run(mut self, inbox: Arc<dyn Inbox>) -> Result<(), Failure> {
        loop {
            poll(&mut self.http, &*inbox, &self.order).await?;
        }
    }
}

async fn poll(http: &mut Http, inbox: &dyn Inbox, order: &Order) -> Result<(), Failure> {
    let body = http.get(&order.target, &order.heads.get).await?;
    // A message a line.
    if !body.is_empty() {
        body.split(|byte| *byte == b'\n').for_each(|message| inbox.message(message));
    }
    inbox.answered(Some(!body.is_empty()));
    Ok(())
}
