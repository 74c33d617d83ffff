// What the pages do beyond htmx: listen for changes, tell what failed, choose files, send with Enter.
"use strict";
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const change = () => htmx.trigger(document.body, "lotse:change");

  // --- toasts ---
  function tell(text, failed = false) {
    const box = $(failed ? "#warned" : "#told");
    const toast = document.createElement("div");
    toast.className = "toast";
    toast.append(Object.assign(document.createElement("p"), { textContent: text }));
    const close = Object.assign(document.createElement("button"), { type: "button", textContent: "×" });
    close.setAttribute("aria-label", $("#warned").dataset.close);
    close.addEventListener("click", () => toast.remove());
    toast.append(close);
    box.append(toast);
    while (box.children.length > 3) box.firstChild.remove();
    setTimeout(() => toast.remove(), failed ? 15000 : 6000);
  }

  // --- the same click twice is one message: its id stays until it arrived ---
  const sent = new WeakMap();
  function uuid() {
    if (crypto.randomUUID) return crypto.randomUUID();
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 15) | 64;
    bytes[8] = (bytes[8] & 63) | 128;
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
  }
  document.addEventListener("htmx:configRequest", (event) => {
    const element = event.detail.elt;
    if (!element.hasAttribute("data-once")) return;
    if (!sent.has(element)) sent.set(element, uuid());
    event.detail.parameters.source_id = sent.get(element);
  });
  // A changed text is another message, even if the one before never arrived.
  document.addEventListener("input", (event) => event.target.form && sent.delete(event.target.form));

  // --- what became of a request ---
  function answer(request) {
    try { return JSON.parse(request.responseText); } catch { return {}; }
  }
  document.addEventListener("htmx:afterRequest", (event) => {
    const { elt, xhr, successful, requestConfig } = event.detail;
    if (requestConfig.verb === "get" || elt.closest("[data-quiet]")) return;
    const result = answer(xhr);
    if (!successful) return xhr.status ? failed(xhr, result) : undefined;
    sent.delete(elt);
    if (result.ok === false) tell(result.text, true);
    else if (result.text && "ok" in result) tell(result.text);
    for (const file of result.refused || []) tell(file.detail, true);
    if (elt.matches("[data-composer]")) clearComposer(elt);
    if (elt.dataset.goto) { leaving = true; for (const button of elt.querySelectorAll("button")) button.disabled = true; location.href = elt.dataset.goto.replace("{id}", result.id); return; }
    elt.closest("details.fold, .change details")?.removeAttribute("open");
    change();
  });
  function failed(xhr, result) {
    if (xhr.status === 401) { location.href = "/signin?next=" + encodeURIComponent(location.pathname); return; }
    tell(result.detail || (xhr.status === 413 ? document.body.dataset.tooLarge : document.body.dataset.failed), true);
    change();
  }
  document.addEventListener("htmx:sendError", (event) => {
    if (event.detail.requestConfig.verb !== "get") tell(document.body.dataset.lost, true);
  });

  // --- live: a stream while the page is seen, a look now and then while it is not ---
  let stream;
  let polling;
  function listen() {
    clearInterval(polling);
    stream?.close();
    if (document.hidden) { polling = setInterval(change, 15000); return; }
    stream = new EventSource(document.body.dataset.events);
    stream.addEventListener("change", change);
  }
  if (document.body.dataset.events) {
    listen();
    document.addEventListener("visibilitychange", listen);
    addEventListener("pagehide", () => stream?.close());
    addEventListener("pageshow", (event) => event.persisted && listen());
  }

  // --- drawing again keeps what a person is doing ---
  const dirty = (form) => [...form.elements].some((field) =>
    field.type === "checkbox" ? field.checked !== field.defaultChecked : "defaultValue" in field && field.value !== field.defaultValue);
  if (window.Idiomorph) {
    Idiomorph.defaults.ignoreActiveValue = true;
    Idiomorph.defaults.callbacks.beforeNodeMorphed = (old) =>
      !(old.nodeType === 1 && old.matches("form[data-keep]") && dirty(old));
    Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) => !(name === "open" && node.tagName === "DETAILS");
  }

  // --- the thread stays at its end, unless somebody reads further up ---
  const thread = $("#thread");
  if (thread) {
    let atEnd = true;
    const toEnd = () => { thread.scrollTop = thread.scrollHeight; };
    thread.addEventListener("scroll", () => { atEnd = thread.scrollHeight - thread.scrollTop - thread.clientHeight < 80; });
    new MutationObserver(() => atEnd && toEnd()).observe(thread, { childList: true, subtree: true });
    toEnd();
    let known = thread.children.length;
    const title = document.title;
    thread.addEventListener("htmx:afterSettle", () => {
      if (document.hidden && thread.children.length > known) document.title = "● " + title;
      if (!document.hidden) { known = thread.children.length; document.title = title; }
    });
    document.addEventListener("visibilitychange", () => { if (!document.hidden) { document.title = title; known = thread.children.length; } });
    thread.addEventListener("click", (event) => {
      const example = event.target.closest("[data-example]");
      if (!example) return;
      const text = $("#text");
      text.value = example.textContent;
      text.focus();
    });
  }

  // --- writing ---
  const composer = $("[data-composer]");
  if (composer) {
    const text = $("textarea", composer);
    const counter = $(".counter", composer);
    const longest = Number(text.dataset.longest);
    const grow = () => {
      text.rows = Math.min(10, Math.max(2, text.value.split("\n").length));
      const over = text.value.length > longest;
      const words = (count) => count.toLocaleString(document.documentElement.lang);
      counter.textContent = over ? text.dataset.tooLong.replace("{count}", words(text.value.length)).replace("{limit}", words(longest)) : "";
    };
    text.addEventListener("input", grow);
    text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      composer.requestSubmit();
    });
    composer.clear = () => { text.value = ""; grow(); text.focus(); };
  }
  function clearComposer(form) {
    form.clear();
    const files = $("input[type=file]", form);
    files.value = "";
    drawFiles(files);
  }

  // --- files: chosen, dropped or pasted ---
  function drawFiles(input) {
    const list = $(".chosen", input.closest(".chooser"));
    list.replaceChildren(...[...input.files].map((file, index) => {
      const item = Object.assign(document.createElement("li"), { textContent: file.name + " " });
      const remove = Object.assign(document.createElement("button"), { type: "button", textContent: "×", className: "quiet" });
      remove.setAttribute("aria-label", input.dataset.remove.replace("{name}", file.name));
      remove.addEventListener("click", () => setFiles(input, [...input.files].filter((_, other) => other !== index)));
      item.append(remove);
      return item;
    }));
  }
  function setFiles(input, files) {
    const limit = Number(input.dataset.limit);
    const most = Number(input.dataset.most);
    const kept = files.filter((file) => {
      if (file.size <= limit) return true;
      tell(input.dataset.tooLarge.replace("{name}", file.name), true);
      return false;
    });
    if (kept.length > most) tell(input.dataset.tooMany, true);
    const transfer = new DataTransfer();
    kept.slice(0, most).forEach((file) => transfer.items.add(file));
    input.files = transfer.files;
    sent.delete(input.form);
    drawFiles(input);
  }
  const input = $("input[type=file]");
  if (input) {
    let before = [];
    input.addEventListener("click", () => { before = [...input.files]; });
    input.addEventListener("change", () => setFiles(input, [...before, ...input.files]));
    const room = input.closest(".conversation");
    room.addEventListener("dragover", (event) => { event.preventDefault(); room.classList.add("dropping"); });
    room.addEventListener("dragleave", () => room.classList.remove("dropping"));
    room.addEventListener("drop", (event) => {
      event.preventDefault();
      room.classList.remove("dropping");
      setFiles(input, [...input.files, ...event.dataTransfer.files]);
    });
    input.form.addEventListener("paste", (event) => {
      if (!event.clipboardData.files.length) return;
      event.preventDefault();
      setFiles(input, [...input.files, ...event.clipboardData.files]);
    });
  }

  // --- an article that is being written is not lost by a wrong click ---
  let leaving = false;
  const editor = $("form[data-unsaved]");
  if (editor) addEventListener("beforeunload", (event) => { if (!leaving && dirty(editor)) event.preventDefault(); });
})();
