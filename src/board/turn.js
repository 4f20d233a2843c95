// Keeps the page of one turn fresh: asks every few seconds whether it changed, which is nothing to send if it did not.
// Written for old telephones: nothing newer than 2012.
(function () {
  "use strict";
  var EACH_MS = 5000;
  var PATIENCE_MS = 8000;
  var tag = "";
  var live = document.getElementById("live");
  var away = document.getElementById("away");

  function again() {
    // What is over stays over, except that an absent person may come back; then this page is opened anew.
    if (!document.getElementById("over")) setTimeout(ask, EACH_MS);
  }
  function ask() {
    var request = new XMLHttpRequest();
    var glue = location.search ? "&" : "?";
    request.open("GET", location.pathname + location.search + glue + "part=live");
    request.timeout = PATIENCE_MS;
    if (tag) request.setRequestHeader("If-None-Match", tag);
    request.onload = function () {
      away.hidden = request.status < 500;
      if (request.status === 200) {
        tag = request.getResponseHeader("ETag") || "";
        if (live.innerHTML !== request.responseText) live.innerHTML = request.responseText;
      }
      again();
    };
    request.onerror = request.ontimeout = function () {
      away.hidden = false;
      again();
    };
    request.send();
  }
  setTimeout(ask, EACH_MS);
}());
