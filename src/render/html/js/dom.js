"use strict";

// Elements. All that is said may come from the wire: it becomes text, never markup.

/** An element of a class, with children: elements, or strings that become text. */
const make = (tag, name = "", ...children) => {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""),
  );
  return element;
};

/** An element with attributes. */
const withThe = (element, attributes) => {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
};

/** A template with its holes filled, in order or by number. */
const fill = (template, ...values) => {
  let next = 0;
  return template.replace(/\{(\d*)\}/g, (_, number) =>
    String(values[number === "" ? next++ : Number(number)]),
  );
};

/** What says English words in the language of `words`; between Chinese and Latin comes a space. */
const sayer =
  (words) =>
  (english, ...values) =>
    fill(words[english] ?? english, ...values)
      .replace(/([\u4e00-\u9fff])([A-Za-z0-9])/g, "$1 $2")
      .replace(/([A-Za-z0-9])([\u4e00-\u9fff])/g, "$1 $2");

/** A number with a comma at every third digit. */
const grouped = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, ",");

/** Marks which bits of a record an element is about: pointing at one lights up those it shares bits with. */
const about = (element, [start, end], hue) => {
  element.dataset.from = start;
  element.dataset.to = end;
  if (hue !== undefined) element.dataset.hue = hue;
  return element;
};
