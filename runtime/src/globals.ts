// What scripts find in the realm itself, besides the language: nothing that belongs to a run.

import { URL, URLSearchParams } from "whatwg-url-minimum";
import { OperationError } from "./fault.ts";
import { AbortController, DOMException } from "./library/abort.ts";
import { atob } from "./library/atob.ts";
import { structuredClone } from "./library/clone.ts";
import { btoa, TextDecoder, TextEncoder } from "./library/encoding.ts";
import { Headers, Request, Response } from "./library/fetch.ts";
import { html } from "./library/html.ts";

const globals = {
    OperationError,
    URL,
    URLSearchParams,
    TextEncoder,
    TextDecoder,
    atob,
    btoa,
    structuredClone,
    Headers,
    Request,
    Response,
    AbortController,
    DOMException,
    html,
    queueMicrotask: (callback: () => void): void => void Promise.resolve().then(callback),
};

export function installGlobals(realm: object): void {
    for (const [name, value] of Object.entries(globals))
        Object.defineProperty(realm, name, { value, writable: true, enumerable: false, configurable: true });
}
