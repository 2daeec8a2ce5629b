//! That each task runs once, whoever sleeps, panics, or has the pool already.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::run;

#[test]
fn every_task_runs_once_for_any_number_of_threads() {
    for threads in [2, 3, 5, 9] {
        for count in [2, 3, 17, 1000] {
            let calls: Vec<AtomicUsize> = (0..count).map(|_| AtomicUsize::new(0)).collect();
            run(threads, count, None, &|i| {
                calls[i].fetch_add(1, Ordering::Relaxed);
            });
            assert!(calls.iter().all(|c| c.load(Ordering::Relaxed) == 1));
        }
    }
}

#[test]
fn many_jobs_in_a_row_after_a_sleep() {
    let total = AtomicUsize::new(0);
    for round in 0..2000 {
        if round % 500 == 0 {
            std::thread::sleep(super::SPIN * 5);
        }
        run(3, 4, None, &|i| {
            total.fetch_add(i, Ordering::Relaxed);
        });
    }
    assert_eq!(total.into_inner(), 2000 * 6);
}

#[test]
fn brief_jobs_are_done_whether_anybody_is_awake_or_not() {
    let total = AtomicUsize::new(0);
    for round in 0..2000 {
        if round % 500 == 0 || round % 500 == 2 {
            std::thread::sleep(super::SPIN * 5);
        }
        run(3, 4, Some(1), &|i| {
            total.fetch_add(i, Ordering::Relaxed);
        });
    }
    assert_eq!(total.into_inner(), 2000 * 6);
}

#[test]
fn a_brief_job_after_a_pause_is_done_alone() {
    let total = AtomicUsize::new(0);
    let mut owned = super::Owned::default();
    for _ in 0..20 {
        let alone = owned.does_alone(4, &|i| {
            total.fetch_add(i, Ordering::Relaxed);
        });
        assert!(alone);
        std::thread::sleep(super::SPIN * 5);
    }
    assert_eq!(total.into_inner(), 20 * 6);
}

#[test]
fn a_job_within_a_job_and_jobs_side_by_side() {
    let total = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..100 {
                    run(2, 3, None, &|_| {
                        run(2, 5, None, &|_| {
                            total.fetch_add(1, Ordering::Relaxed);
                        });
                    });
                }
            });
        }
    });
    assert_eq!(total.into_inner(), 4 * 100 * 15);
}

#[test]
fn a_panic_reaches_the_caller_and_the_pool_goes_on() {
    for _ in 0..50 {
        let caught = std::panic::catch_unwind(|| {
            run(3, 8, None, &|i| assert!(i != 5, "task five"));
        });
        let message = *caught.expect_err("task 5 panics").downcast::<&str>().expect("a str");
        assert_eq!(message, "task five");
    }
    let total = AtomicUsize::new(0);
    run(3, 8, None, &|i| {
        total.fetch_add(i, Ordering::Relaxed);
    });
    assert_eq!(total.into_inner(), 28);
}

#[test]
fn a_panic_of_the_caller_takes_the_workers_with_it() {
    for _ in 0..20 {
        let inside = AtomicUsize::new(0);
        let caught = std::panic::catch_unwind(|| {
            run(2, 2, None, &|i| {
                inside.fetch_add(1, Ordering::SeqCst);
                let since = std::time::Instant::now();
                while inside.load(Ordering::SeqCst) < 2 && since.elapsed().as_millis() < 100 {}
                assert!(i > 1, "both tasks");
            });
        });
        assert!(caught.is_err());
        run(2, 2, None, &|_| ()); // The job of somebody who has nothing to do with it.
    }
}
