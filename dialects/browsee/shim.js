/*
 * Replaces Browsee's web recorder: it sends a page's `identify` and `logEvent` calls to the gateway.
 *
 *   <script src="https://gateway.example/-/shim/browsee.js" data-api-key="..."></script>
 *
 * Load it before the page's own bundle, or in the place of the vendor's script. Calls of `_browsee(...)`, of
 * `_browsee.identify(...)` and the other methods, and of the package @browsee/web-sdk then work unchanged. The key may
 * also come from `_browsee('init', key)`; calls wait until it is known. `data-api-url` is the gateway's address if
 * another host serves the script.
 * Each call takes the page along: its address, title and referrer. The script records nothing by itself: no replay, no
 * clicks, no page views.
 */
(function (window, document) {
  'use strict';

  var SHIM_PATH = '/-/shim/';
  var STORAGE_KEY = 'browsee_anonymous_id';
  var MAX_WAITING = 1000;
  var MAX_TRIES = 6;
  var MIN_PAUSE = 1000; // milliseconds; doubled after each try
  var MAX_PAUSE = 60000;
  var MAX_KEEPALIVE = 60000; // bytes; browsers refuse a keepalive body of more than 64 KiB
  var MAX_ADDRESS = 2048; // UTF-16 units of an address or of its parts
  var MAX_TITLE = 512;
  var LEAVING_FOR = 2000; // milliseconds; a page that is still alive after this time was only hidden

  var before = window._browsee;
  if (before && before.initialied) {
    return; // the recorder or this script is already loaded
  }

  var script = document.currentScript || document.querySelector('script[src*="' + SHIM_PATH + 'browsee.js"]');
  var apiKey = attribute('data-api-key');
  var gateway = (attribute('data-api-url') || gatewayOf(script)).replace(/\/+$/, '');
  var anonymousId = rememberedId();
  var userId = null;
  var announced = false;

  var waiting = []; // calls in order; the first one may be in flight
  var inFlight = false;
  var pause = null; // the timer of the next try
  var leaving = false;

  // What the page calls

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
        window.setTimeout(callback, 0, null); // nothing is recorded, so there is no address
      }
    }
  };

  function dispatch(call) {
    try {
      var method = methods[call[0]];
      if (method) {
        method.apply(null, Array.prototype.slice.call(call, 1));
      }
    } catch (error) {
      warn('a call was dropped: ' + error);
    }
  }

  function asObject(value) {
    if (value === undefined || value === null) {
      return undefined;
    }
    return Object.prototype.toString.call(value) === '[object Object]' ? value : { value: value };
  }

  // Where the call was made. An application may have changed the address or the title since the page was loaded.

  function currentPage() {
    return {
      url: textOf(window.location.href, MAX_ADDRESS),
      path: textOf(window.location.pathname, MAX_ADDRESS),
      search: textOf(window.location.search, MAX_ADDRESS),
      title: textOf(document.title, MAX_TITLE),
      referrer: textOf(document.referrer, MAX_ADDRESS)
    };
  }

  // Half of a surrogate pair, as a page may write it or as the cut may leave it, would make the gateway refuse the call.
  function textOf(value, max) {
    var text = String(value || '').slice(0, max).replace(/[\uD800-\uDBFF][\uDC00-\uDFFF]|[\uD800-\uDFFF]/g, wholePair);
    return text === '' ? undefined : text; // JSON leaves it out then
  }

  function wholePair(found) {
    return found.length === 2 ? found : '\uFFFD';
  }

  // The queue. Calls are sent one at a time, so that they arrive in order.

  function enqueue(route, call) {
    call.timestamp = new Date().toISOString();
    call.page = currentPage();
    if (waiting.length >= MAX_WAITING) {
      warn('a call was dropped: too many are waiting');
      return;
    }
    // The body is written now, since the page may change its objects later. The key is added when the call is sent.
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
      keepalive: new window.Blob([body]).size < MAX_KEEPALIVE
    });
  }

  function sendFirst() {
    var call = waiting[0];
    inFlight = true;
    call.tries += 1;
    post(call).then(
      function (answer) {
        var canRetry = answer.status === 429 || answer.status === 408 || answer.status >= 500;
        settle(call, canRetry, answer.status, Number(answer.headers.get('Retry-After')) * 1000 || 0);
      },
      function () {
        settle(call, true, 'no answer', 0);
      }
    );
  }

  function settle(call, canRetry, reason, minPause) {
    inFlight = false;
    if (canRetry && call.tries < MAX_TRIES) {
      var wait = MIN_PAUSE * Math.pow(2, call.tries - 1);
      pause = window.setTimeout(resume, Math.min(Math.max(wait, minPause), MAX_PAUSE));
      return;
    }
    waiting.shift();
    if (canRetry || reason >= 400) {
      warn('a call to ' + call.route + ' was dropped: ' + reason);
    }
    proceed();
  }

  function resume() {
    window.clearTimeout(pause);
    pause = null;
    proceed();
  }

  // When the page goes away, calls that were never tried are sent by beacon, which outlives the page but has no
  // Idempotency-Key. Calls that were tried may have arrived, so they are sent by fetch once more, with the same key.

  function sendAll() {
    waiting = waiting.filter(function (call, position) {
      if (inFlight && position === 0) {
        return true; // its keepalive request outlives the page
      }
      if (call.tries > 0 && !call.leftOnce) {
        call.leftOnce = true;
        post(call).catch(function () {});
      }
      return call.tries > 0 || !sendByBeacon(call); // a beacon without room: sent later, if the page lives on
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

  // Start

  function start() {
    if (!apiKey || announced) {
      return;
    }
    announced = true;
    proceed();
    if (document.readyState === 'complete') {
      window.setTimeout(announce, 0);
    } else {
      window.addEventListener('load', announce); // by then, the scripts that listen for it have run
    }
  }

  function announce() {
    window.dispatchEvent(new window.Event('br_session_init'));
  }

  function attribute(name) {
    return (script && script.getAttribute(name)) || '';
  }

  function gatewayOf(element) {
    var address = (element && element.src) || '';
    var end = address.indexOf(SHIM_PATH);
    if (end >= 0) {
      return address.slice(0, end);
    }
    return (/^[a-z]+:\/\/[^/]+/i.exec(address) || [window.location.origin])[0];
  }

  function rememberedId() {
    try {
      var known = window.localStorage.getItem(STORAGE_KEY);
      if (!known) {
        known = randomId();
        window.localStorage.setItem(STORAGE_KEY, known);
      }
      return known;
    } catch (_forbidden) {
      return randomId(); // storage is off: this id lives as long as the page
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
  browsee.initialied = true; // the spelling that the vendor's loader looks for
  browsee.user = {
    getId: function () {
      return anonymousId;
    }
  };
  browsee.q = { push: dispatch }; // for pages that kept a reference to the snippet's function, which pushes here
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
