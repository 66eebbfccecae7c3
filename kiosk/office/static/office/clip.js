// Plays the strip of pictures of an evidence clip in its own time. Nothing is loaded that the strip does not show anyway.
"use strict";

const LAST_MS = 600; // how long the last picture stays before the strip is back

for (const clip of document.querySelectorAll("figure.clip")) {
  const frames = [...clip.querySelectorAll("img")];
  if (frames.length < 2) continue;
  const button = document.createElement("button");
  button.type = "button";
  let timer = 0;

  const stop = () => {
    clearTimeout(timer);
    timer = 0;
    clip.classList.remove("playing");
    button.textContent = "播放";
  };
  const show = (at) => {
    frames.forEach((frame, i) => frame.classList.toggle("now", i === at));
    const wait = at + 1 < frames.length ? frames[at + 1].dataset.ms - frames[at].dataset.ms : LAST_MS;
    timer = setTimeout(() => (at + 1 < frames.length ? show(at + 1) : stop()), Math.max(wait, 0));
  };
  const play = async () => {
    timer = -1;
    button.textContent = "停止";
    frames.forEach((frame) => (frame.loading = "eager"));
    await Promise.allSettled(frames.map((frame) => frame.decode()));
    if (timer !== -1) return; // stopped while the pictures came
    clip.classList.add("playing");
    show(0);
  };
  button.addEventListener("click", () => (timer ? stop() : play()));
  stop();
  clip.querySelector("figcaption").append(" ", button);
}
