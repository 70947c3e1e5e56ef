// Only where produce serve shows a page: a newer one takes its place.
"use strict";
(() => {
  let seen = "";
  const look = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(location.pathname, { method: "HEAD", cache: "no-store" });
      const tag = answer.ok ? answer.headers.get("ETag") : "";
      if (seen && tag && tag !== seen) location.reload();
      seen = tag || seen;
    } catch {
      // The server is not there; it may come back.
    }
  };
  look();
  setInterval(look, 1000);
})();
