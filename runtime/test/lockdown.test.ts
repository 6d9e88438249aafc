import assert from "node:assert/strict";
import { test } from "node:test";
import vm from "node:vm";
import { realm } from "./worker.ts";

const attempt = (text: string): unknown => vm.runInContext(`(() => { "use strict"; try { return (() => { ${text} })(); } catch (error) { return String(error); } })()`, realm);

test("what leaks or depends on the collector is not there", () => {
    for (const name of ["WebAssembly", "SharedArrayBuffer", "Atomics", "WeakRef", "FinalizationRegistry", "eval"]) assert.equal(attempt(`return typeof ${name};`), "undefined", name);
});

test("no text becomes code", () => {
    for (const make of ["Function", "(() => {}).constructor", "(async () => {}).constructor", "(function* () {}).constructor", "(async function* () {}).constructor", "Object.getPrototypeOf(async () => {}).constructor"])
        assert.match(String(attempt(`return ${make}("return 1")();`)), /TypeError/, make);
});

test("nothing shared can be changed", () => {
    for (const change of [
        "Object.prototype.x = 1", "Array.prototype.push = 1", "Array.prototype.x = 1", "Date.now = 1", "JSON.parse = 1", "Promise.prototype.then = 1", "String.prototype.trim = 1", "RegExp.prototype.exec = 1",
        "Math.x = 1", "URL.prototype.x = 1", "html.escape = 1", "Headers.prototype.get = 1", "Object.getPrototypeOf([][Symbol.iterator]()).next = 1", "Object.getPrototypeOf(Uint8Array).x = 1", "(class extends Error {}).__proto__.x = 1",
        "Function.prototype.call = 1", "Symbol.prototype.x = 1", "Object.getPrototypeOf(async () => {}).x = 1", "Error.prototype.name = 'x'", "structuredClone.x = 1",
    ])
        assert.match(String(attempt(`${change}; return "changed";`)), /TypeError/, change);
});

test("programs may still override what their own objects inherit", () => {
    assert.equal(attempt('class E extends Error { constructor(m) { super(m); this.name = "E"; this.message = m + "!"; } } return String(new E("m"));'), "E: m!");
    assert.equal(attempt('const o = {}; o.toString = () => "mine"; o.constructor = 5; o.hasOwnProperty = 1; return o + o.constructor;'), "mine5");
    assert.equal(attempt('function F() {} F.prototype.toString = function () { return "f"; }; F.prototype.constructor = F; return String(new F());'), "f");
    assert.equal(attempt('const m = new Map(); m.get = () => 7; return m.get("x");'), 7);
    assert.equal(attempt('const e = new TypeError("a"); e.name = "Mine"; return Object.keys(e).join();'), "name");
});

test("dates are UTC and English, and know one clock", () => {
    assert.equal(attempt("return new Date(0).toLocaleString() + (1234.5).toLocaleString();"), "1/1/1970, 12:00:00 AM1,234.5");
    assert.equal(attempt("return Date.prototype.constructor === Date && new Date() instanceof Date && new Date(5).getTime();"), 5);
    assert.equal(attempt("class D extends Date { hi() { return this.getTime(); } } return new D(9).hi();"), 9);
});
