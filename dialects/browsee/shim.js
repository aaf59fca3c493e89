/*
 * Stands in for Browsee's web recorder and sends what a page says about its user to the gateway instead.
 *
 *   <script src="https://gateway.example/-/shim/browsee.js" data-api-key="..."></script>
 *
 * Load it before the page's own bundle, or in the place of the vendor's script. Calls through `_browsee(...)`, through
 * `_browsee.identify` and its like, and through the package @browsee/web-sdk then work unchanged. The key may also come
 * from `_browsee('init', key)`; until one is known, calls wait. `data-api-url` names a gateway elsewhere.
 * Nothing is recorded by itself: no replay, no clicks, no page views.
 */
(function (window, document) {
  'use strict';

  var MARK = '/-/shim/';
  var STORED_AS = 'browsee_anonymous_id';
  var MOST_WAITING = 1000;
  var MOST_TRIES = 6;
  var FIRST_PAUSE = 1000; // milliseconds; doubled after each try
  var LONGEST_PAUSE = 60000;
  var KEEPALIVE_BYTES = 60000; // browsers refuse a keepalive body of more than 64 KiB
  var LEAVING_FOR = 2000; // milliseconds after which a page that was hidden turns out to live on

  var before = window._browsee;
  if (before && before.initialied) {
    return; // a recorder, or this script, is there already
  }

  var script = document.currentScript || document.querySelector('script[src*="' + MARK + 'browsee.js"]');
  var apiKey = attribute('data-api-key');
  var gateway = (attribute('data-api-url') || homeOf(script)).replace(/\/+$/, '');
  var anonymousId = rememberedId();
  var userId = null;
  var announced = false;

  var waiting = []; // calls in order; the first one may be in flight
  var inFlight = false;
  var pause = null; // the timer of the next try
  var leaving = false;

  // What the page calls.

  function browsee() {
    dispatch(arguments);
  }

  var methods = {
    init: function (given) {
      var key = given && typeof given === 'object' ? given.apiKey : given;
      apiKey = apiKey || (typeof key === 'string' ? key : '');
      start();
    },
    identify: function (id, traits) {
      var known = (typeof id === 'string' && id !== '') || typeof id === 'number';
      if (known && String(id) !== anonymousId) {
        userId = String(id);
        enqueue('identify', { userId: userId, anonymousId: anonymousId, traits: asObject(traits) });
      } else {
        enqueue('identify', { anonymousId: anonymousId, traits: asObject(traits) });
      }
    },
    logEvent: function (name, properties) {
      var call = { event: String(name), properties: asObject(properties), anonymousId: anonymousId };
      if (userId !== null) {
        call.userId = userId;
      }
      enqueue('track', call);
    },
    getSessionUrl: function (callback) {
      if (typeof callback === 'function') {
        window.setTimeout(callback, 0, null); // there is no recording, so it has no address
      }
    }
  };

  function dispatch(words) {
    try {
      var method = methods[words[0]];
      if (method) {
        method.apply(null, Array.prototype.slice.call(words, 1));
      }
    } catch (problem) {
      warn('a call was dropped: ' + problem);
    }
  }

  function asObject(value) {
    if (value === undefined || value === null) {
      return undefined;
    }
    return Object.prototype.toString.call(value) === '[object Object]' ? value : { value: value };
  }

  // The queue: one call at a time, so that they arrive in order.

  function enqueue(route, call) {
    call.timestamp = new Date().toISOString();
    if (waiting.length >= MOST_WAITING) {
      warn('a call was dropped: too many are waiting');
      return;
    }
    // The body is written now: what the page changes later is not part of the call. The key is added when it is known.
    waiting.push({ route: route, body: JSON.stringify(call), token: randomId(), tries: 0 });
    proceed();
  }

  function proceed() {
    if (!apiKey || waiting.length === 0) {
      return;
    }
    if (leaving || typeof window.fetch !== 'function') {
      sendAll();
    } else if (!inFlight && pause === null) {
      sendFirst();
    }
  }

  function addressOf(call) {
    return gateway + '/api/v1/' + call.route;
  }

  function bodyOf(call) {
    return '{"apiKey":' + JSON.stringify(apiKey) + ',' + call.body.slice(1);
  }

  function post(call) {
    var body = bodyOf(call);
    return window.fetch(addressOf(call), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': call.token },
      body: body,
      credentials: 'omit',
      keepalive: new window.Blob([body]).size < KEEPALIVE_BYTES
    });
  }

  function sendFirst() {
    var call = waiting[0];
    inFlight = true;
    call.tries += 1;
    post(call).then(
      function (answer) {
        var passing = answer.status === 429 || answer.status === 408 || answer.status >= 500;
        settle(call, passing, answer.status, Number(answer.headers.get('Retry-After')) * 1000 || 0);
      },
      function () {
        settle(call, true, 'no answer', 0);
      }
    );
  }

  function settle(call, passing, why, atLeast) {
    inFlight = false;
    if (passing && call.tries < MOST_TRIES) {
      var wait = FIRST_PAUSE * Math.pow(2, call.tries - 1);
      pause = window.setTimeout(resume, Math.min(Math.max(wait, atLeast), LONGEST_PAUSE));
      return;
    }
    waiting.shift();
    if (passing || why >= 400) {
      warn('a call to ' + call.route + ' was dropped: ' + why);
    }
    proceed();
  }

  function resume() {
    window.clearTimeout(pause);
    pause = null;
    proceed();
  }

  // The page goes away: what was never tried leaves by beacon, which outlives the page, but cannot carry a token. What
  // was tried may have arrived, so it leaves under its token once more, and is stored once.

  function sendAll() {
    waiting = waiting.filter(function (call, position) {
      if (inFlight && position === 0) {
        return true; // it outlives the page by itself
      }
      if (call.tries > 0 && !call.leftOnce) {
        call.leftOnce = true;
        post(call).catch(function () {});
      }
      return call.tries > 0 || !sendByBeacon(call); // no room: if the page lives on, it is sent later
    });
  }

  function sendByBeacon(call) {
    return Boolean(window.navigator.sendBeacon) && window.navigator.sendBeacon(addressOf(call), bodyOf(call));
  }

  function leave() {
    leaving = true;
    window.clearTimeout(pause);
    pause = null;
    proceed();
    window.setTimeout(stay, LEAVING_FOR);
  }

  function stay() {
    leaving = false;
    proceed();
  }

  // Starting up.

  function start() {
    if (!apiKey || announced) {
      return;
    }
    announced = true;
    proceed();
    if (document.readyState === 'complete') {
      window.setTimeout(announce, 0);
    } else {
      window.addEventListener('load', announce); // the scripts that listen have run by then
    }
  }

  function announce() {
    window.dispatchEvent(new window.Event('br_session_init'));
  }

  function attribute(name) {
    return (script && script.getAttribute(name)) || '';
  }

  function homeOf(element) {
    var address = (element && element.src) || '';
    var end = address.indexOf(MARK);
    if (end >= 0) {
      return address.slice(0, end);
    }
    return (/^[a-z]+:\/\/[^/]+/i.exec(address) || [window.location.origin])[0];
  }

  function rememberedId() {
    try {
      var known = window.localStorage.getItem(STORED_AS);
      if (!known) {
        known = randomId();
        window.localStorage.setItem(STORED_AS, known);
      }
      return known;
    } catch (_forbidden) {
      return randomId(); // storage is off: known for as long as the page lives
    }
  }

  function randomId() {
    var digits = '';
    for (var n = 0; n < 4; n += 1) {
      digits += (0x100000000 + randomWord()).toString(16).slice(1);
    }
    return digits;
  }

  function randomWord() {
    if (window.crypto && window.crypto.getRandomValues) {
      return window.crypto.getRandomValues(new Uint32Array(1))[0];
    }
    return Math.floor(Math.random() * 0x100000000);
  }

  function warn(message) {
    if (window.console && window.console.warn) {
      window.console.warn('browsee shim: ' + message);
    }
  }

  Object.keys(methods).forEach(function (name) {
    browsee[name] = function () {
      dispatch([name].concat(Array.prototype.slice.call(arguments)));
    };
  });
  browsee.initialied = true; // spelled as the vendor's loader looks for it
  browsee.user = {
    getId: function () {
      return anonymousId;
    }
  };
  browsee.q = { push: dispatch }; // for those who kept the snippet's function, which pushes here
  window._browsee = browsee;

  window.addEventListener('pagehide', leave);
  window.addEventListener('pageshow', stay);
  document.addEventListener('visibilitychange', function () {
    if (document.visibilityState === 'hidden') {
      leave();
    } else {
      stay();
    }
  });

  start();
  var queued = (before && before.q) || [];
  for (var n = 0; n < queued.length; n += 1) {
    dispatch(queued[n]);
  }
})(window, document);
