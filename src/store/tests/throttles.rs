use super::*;

contract! {
    an_app_is_left_alone_until_its_time_and_by_the_last_word,
}

fn an_app_is_left_alone_until_its_time_and_by_the_last_word(make: Make) {
    let shelf = make();
    let store = &shelf.store;
    assert!(store.throttled_apps(day(0)).unwrap().is_empty());
    store.throttle_app("main", day(2), day(0)).unwrap();
    store.throttle_app("other", day(1), day(0)).unwrap();
    store.throttle_app("main", day(3), day(0)).unwrap();
    let paused = store.throttled_apps(day(0)).unwrap();
    assert_eq!((paused.get("main"), paused.get("other")), (Some(&day(3)), Some(&day(1))));
    assert_eq!(store.throttled_apps(day(1)).unwrap().len(), 1, "its time is over to the second");
    store.throttle_app("third", day(9), day(3)).unwrap();
    assert_eq!(store.throttled_apps(day(0)).unwrap().len(), 1, "what is over is forgotten");
}
