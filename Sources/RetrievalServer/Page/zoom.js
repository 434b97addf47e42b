// Enlarges and moves the open image, by mouse, touch and keys.

const nearest = 8;
const step = 1.5;
// The distances at which a touch becomes a move, and a move a swipe, in CSS pixels.
const touched = 10;
const swiped = 60;
// The longest time between the two touches of a double touch, in milliseconds.
const doubled = 300;

const middleOf = (touches) => {
  const [one, other = one] = touches;
  return {
    x: (one.clientX + other.clientX) / 2, y: (one.clientY + other.clientY) / 2,
    apart: Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY),
  };
};

export class Zoom {
  #scale = 1;
  #x = 0;
  #y = 0;
  #most = nearest;
  #gesture = null;
  #touchedAt = 0;

  /**
   * @param stage the element through which the frame is visible
   * @param frame the element to move
   * @param actions changed(scale); swiped(step), called with -1 or 1 for another image; closed(), called after a
   *   swipe down
   */
  constructor(stage, frame, actions) {
    this.stage = stage;
    this.frame = frame;
    this.actions = actions;
    stage.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    stage.addEventListener("dblclick", (event) => {
      if (!event.target.closest("button")) this.#toggle(event.clientX, event.clientY);
    });
    stage.addEventListener("pointerdown", (event) => this.#grab(event));
    for (const name of ["touchstart", "touchmove", "touchend", "touchcancel"]) {
      stage.addEventListener(name, (event) => this.#touch(event), { passive: false });
    }
    new ResizeObserver(() => this.#apply()).observe(stage);
  }

  get scale() {
    return this.#scale;
  }

  get isNear() {
    return this.#scale > 1.001;
  }

  /** Sets the largest scale, which is at least `nearest`. */
  set most(scale) {
    this.#most = Math.max(nearest, scale);
  }

  /** Shows the whole image again. */
  reset() {
    this.#x = 0;
    this.#y = 0;
    this.#scale = 1;
    this.#apply();
  }

  /** Enlarges or reduces the image. */
  nearer(by) {
    const { left, top, width, height } = this.stage.getBoundingClientRect();
    this.#to(this.#scale * (by > 0 ? step : 1 / step), left + width / 2, top + height / 2);
  }

  /** Moves the view to one side by a part of its size. */
  look(x, y) {
    this.#x -= 0.2 * x * this.stage.clientWidth;
    this.#y -= 0.2 * y * this.stage.clientHeight;
    this.#apply();
  }

  /** Changes the scale; the part of the image under a point of the window stays there. */
  #to(scale, clientX, clientY) {
    const next = Math.min(Math.max(scale, 1), this.#most);
    const { left, top, width, height } = this.stage.getBoundingClientRect();
    const x = clientX - left - width / 2;
    const y = clientY - top - height / 2;
    const grown = next / this.#scale;
    this.#x = x - (x - this.#x) * grown;
    this.#y = y - (y - this.#y) * grown;
    this.#scale = next;
    this.#apply();
  }

  #toggle(clientX, clientY) {
    if (this.isNear) this.reset();
    else this.#to(2.5, clientX, clientY);
  }

  /** Moves the frame, and keeps its edges outside the stage as far as it is larger than the stage. */
  #apply() {
    if (!this.isNear) this.#scale = 1;
    const room = (length, seen) => Math.max(length * this.#scale - seen, 0) / 2;
    const across = room(this.frame.offsetWidth, this.stage.clientWidth);
    const down = room(this.frame.offsetHeight, this.stage.clientHeight);
    this.#x = Math.min(Math.max(this.#x, -across), across);
    this.#y = Math.min(Math.max(this.#y, -down), down);
    this.frame.style.transform = this.isNear ? `translate(${this.#x}px, ${this.#y}px) scale(${this.#scale})` : "";
    this.stage.classList.toggle("near", this.isNear);
    this.actions.changed(this.#scale);
  }

  #wheel(event) {
    const scrolled = this.stage.parentElement.scrollTop > 0;
    // If the image cannot get smaller, the page scrolls instead.
    if (!this.isNear && (event.deltaY >= 0 || scrolled) && !event.ctrlKey) return;
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 20 : 1;
    this.#to(this.#scale * Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.002)), event.clientX, event.clientY);
  }

  /** Moves the image with a mouse or a pen. */
  #grab(event) {
    if (event.pointerType === "touch" || event.button !== 0 || !this.isNear || event.target.closest("button")) return;
    event.preventDefault();
    const { stage } = this;
    let { clientX, clientY } = event;
    const move = (next) => {
      this.#x += next.clientX - clientX;
      this.#y += next.clientY - clientY;
      ({ clientX, clientY } = next);
      this.#apply();
    };
    const end = new AbortController();
    stage.setPointerCapture(event.pointerId);
    stage.classList.add("held");
    stage.addEventListener("pointermove", move, end);
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
      stage.addEventListener(name, () => {
        stage.classList.remove("held");
        end.abort();
      }, end);
    }
  }

  #touch(event) {
    if (event.target.closest("button")) return;
    const { touches, type } = event;
    if (type === "touchcancel") return this.#drop();
    if (type === "touchend" && touches.length === 0) return this.#release(event);
    if (type !== "touchmove") {
      const isPinch = touches.length > 1 || Boolean(this.#gesture?.isPinch);
      this.#gesture = { ...middleOf(touches), from: middleOf(touches), isPinch };
      if (touches.length > 1) event.preventDefault();
      return;
    }
    const gesture = this.#gesture;
    if (!gesture) return;
    const now = middleOf(touches);
    if (touches.length > 1 || this.isNear) {
      event.preventDefault();
      this.#x += now.x - gesture.x;
      this.#y += now.y - gesture.y;
      if (touches.length > 1 && gesture.apart > 0) this.#to(this.#scale * (now.apart / gesture.apart), now.x, now.y);
      else this.#apply();
      gesture.isMove = true;
    } else if (!gesture.isPinch) {
      this.#pull(event, gesture, now);
    }
    Object.assign(gesture, now);
  }

  /** Follows a finger to one side or down; a move upwards scrolls the page. */
  #pull(event, gesture, now) {
    const x = now.x - gesture.from.x;
    const y = now.y - gesture.from.y;
    if (!gesture.way) {
      if (Math.abs(x) > Math.abs(y)) gesture.way = "across";
      else if (y > 0 && this.stage.parentElement.scrollTop <= 0) gesture.way = "down";
      else gesture.way = "page";
    }
    if (gesture.way === "page") return;
    if (event.cancelable) event.preventDefault();
    this.frame.style.transform = gesture.way === "across" ? `translateX(${x}px)` : `translateY(${Math.max(y, 0)}px)`;
  }

  #release(event) {
    const gesture = this.#gesture;
    this.#drop();
    if (!gesture || gesture.isPinch || gesture.isMove) return;
    const x = gesture.x - gesture.from.x;
    const y = gesture.y - gesture.from.y;
    if (gesture.way === "across" && Math.abs(x) > swiped) this.actions.swiped(x < 0 ? 1 : -1);
    else if (gesture.way === "down" && y > swiped) this.actions.closed();
    if (Math.hypot(x, y) < touched) this.#tap(event, gesture);
  }

  /** Treats two touches at the same point as a double click. */
  #tap(event, { x, y }) {
    const isSecond = event.timeStamp - this.#touchedAt < doubled;
    this.#touchedAt = isSecond ? 0 : event.timeStamp;
    if (!isSecond) return;
    event.preventDefault();
    this.#toggle(x, y);
  }

  #drop() {
    this.#gesture = null;
    this.#apply();
  }
}
