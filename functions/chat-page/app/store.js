// The one state of the page, and the one way to change it.

/**
 * @template S, E
 * @param {(state: S, event: E) => S} reduce
 * @param {S} state
 */
export function createStore(reduce, state) {
  const listeners = new Set();
  let scheduled = false;

  function notify() {
    scheduled = false;
    for (const listener of listeners) listener(state);
  }

  return {
    /** @returns {S} */
    get state() {
      return state;
    },
    /** Changes the state; listeners are called once for all events of the same task. @param {E} event */
    dispatch(event) {
      const next = reduce(state, event);
      if (next === state) return;
      state = next;
      if (!scheduled) queueMicrotask(notify);
      scheduled = true;
    },
    /** @param {(state: S) => void} listener */
    subscribe(listener) {
      listeners.add(listener);
      listener(state);
    },
  };
}
