//! Looking at the queues, and letting the dead try again.

use shared::ports::{Outbox, Probe};

use crate::world::{World, job};

#[tokio::test]
async fn the_dead_return_once_each_with_their_failures_forgotten() {
    let Some(world) = World::new().await else { return };
    for id in ["a", "b", "c"] {
        world.rabbit.dead_letter(&world.queue, &job(id, 5), "no such user").await.unwrap();
    }
    let names = ["", ".retry", ".retry.2", ".dead"].map(str::to_owned);
    assert_eq!(world.depths().await, names.clone().into_iter().zip([0, 0, 0, 3]).collect::<Vec<_>>());

    assert_eq!(world.rabbit.replay_dead(&world.queue).await.unwrap(), 3);
    assert_eq!(world.depths().await, names.into_iter().zip([3, 0, 0, 0]).collect::<Vec<_>>());
    for id in ["a", "b", "c"] {
        let found = world.take("").await.unwrap();
        assert_eq!(
            (found.id.as_str(), found.attempt, found.reason, found.persistent),
            (id, Some(0), None, true)
        );
    }
    assert_eq!(world.rabbit.replay_dead(&world.queue).await.unwrap(), 0, "nobody is left");
    world.end().await;
}

#[tokio::test]
async fn two_operators_at_once_replay_every_job_once() {
    let Some(world) = World::new().await else { return };
    for n in 0..40 {
        world.rabbit.dead_letter(&world.queue, &job(&format!("{n:02}"), 5), "why").await.unwrap();
    }
    let (one, other) =
        tokio::join!(world.rabbit.replay_dead(&world.queue), world.rabbit.replay_dead(&world.queue));
    assert_eq!(one.unwrap() + other.unwrap(), 40);
    let mut ids = Vec::new();
    while let Some(found) = world.take("").await {
        ids.push(found.id);
    }
    ids.sort();
    assert_eq!(ids, (0..40).map(|n| format!("{n:02}")).collect::<Vec<_>>());
    world.end().await;
}

#[tokio::test]
async fn the_probe_answers() {
    let Some(world) = World::new().await else { return };
    world.rabbit.check().await.unwrap();
}

#[tokio::test]
async fn a_consumer_finds_its_queue_before_anything_was_published() {
    let Some(world) = World::new().await else { return };
    for _ in 0..2 {
        world.rabbit.declare(&world.queue).await.unwrap();
    }
    assert_eq!(world.take("").await, None, "there, and empty");
    world.end().await;
}
