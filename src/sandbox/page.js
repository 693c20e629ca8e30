// Asks whether anything changed and only then fetches the page again. Filters what is shown.
(() => {
  const filter = () => document.getElementById("filter");
  const gone = () => document.getElementById("gone");
  let version = document.body.dataset.version;

  const ages = () => {
    for (const time of document.querySelectorAll("time")) {
      const seconds = Math.max(0, Math.round((Date.now() - Date.parse(time.dateTime)) / 1000));
      time.title = time.dateTime;
      time.textContent =
        seconds < 60 ? `${seconds} s ago`
        : seconds < 3600 ? `${Math.floor(seconds / 60)} min ago`
        : seconds < 86400 ? `${Math.floor(seconds / 3600)} h ago`
        : time.dateTime.replace("T", " ").replace("Z", "");
    }
  };
  const sift = () => {
    const words = filter().value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const body of document.querySelectorAll("tbody.artifact")) {
      const text = body.textContent.toLowerCase();
      body.hidden = !words.every((word) => text.includes(word));
    }
    document.body.classList.toggle("ongoing", !gone().checked);
  };
  const show = () => { ages(); sift(); };
  document.addEventListener("input", sift);
  show();

  const refresh = async () => {
    try {
      const now = String((await (await fetch("/sandbox/healthz")).json()).version);
      if (now !== version) {
        const html = await (await fetch("/")).text();
        const fresh = new DOMParser().parseFromString(html, "text/html");
        for (const part of [".counts", "main > .frame", ".requests"]) {
          document.querySelector(part).innerHTML = fresh.querySelector(part).innerHTML;
        }
        version = now;
        sift();
      }
      document.body.classList.remove("lost");
      ages();
    } catch {
      document.body.classList.add("lost");
    }
  };
  setInterval(refresh, 1000);
})();
