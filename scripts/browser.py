"""A headless Chromium, driven over its DevTools protocol through a pair of pipes: no library, no port."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time


class Browser:
    """One page of one browser; a context manager that ends the browser."""

    def __init__(self, program="chromium"):
        self.profile = tempfile.mkdtemp(prefix="shard-browser-")
        commands, self.commands = os.pipe()
        self.answers, answers = os.pipe()
        arguments = [program, "--headless=new", "--remote-debugging-pipe", "--disable-gpu", "--no-first-run",
                     "--disable-background-networking", "--disable-dev-shm-usage", "--hide-scrollbars",
                     "--force-color-profile=srgb", f"--user-data-dir={self.profile}", "about:blank"]
        if os.getuid() == 0:
            # Chromium's own sandbox refuses to run as root.
            arguments.insert(1, "--no-sandbox")

        def descriptors():
            # The browser reads commands from 3 and writes answers to 4.
            first, second = os.dup(commands), os.dup(answers)
            os.dup2(first, 3)
            os.dup2(second, 4)

        self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, preexec_fn=descriptors, close_fds=False)
        os.close(commands)
        os.close(answers)
        self.lock = threading.Condition()
        self.replies, self.number, self.session = {}, 0, None
        self.problems = []
        self.intercept = None
        threading.Thread(target=self._listen, daemon=True).start()
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ["Page", "Runtime", "Log"]:
            self.call(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
        shutil.rmtree(self.profile, ignore_errors=True)

    def _listen(self):
        rest = b""
        while True:
            data = os.read(self.answers, 1 << 20)
            if not data:
                return
            *messages, rest = (rest + data).split(b"\0")
            for message in messages:
                self._take(json.loads(message))

    def _take(self, message):
        parameters = message.get("params", {})
        with self.lock:
            if "id" in message:
                self.replies[message["id"]] = message
                self.lock.notify_all()
            elif message["method"] == "Runtime.exceptionThrown":
                details = parameters["exceptionDetails"]
                self.problems.append(details.get("exception", {}).get("description", details["text"]))
            elif message["method"] == "Log.entryAdded" and parameters["entry"]["level"] == "error":
                entry = parameters["entry"]
                self.problems.append(f"{entry['text']} {entry.get('url', '')}")
            elif message["method"] == "Fetch.requestPaused":
                threading.Thread(target=self._answer, args=(parameters,), daemon=True).start()

    def _answer(self, parameters):
        """An intercepted request gets what `intercept` returns: (status, body), or goes on."""
        replaced = self.intercept(parameters["request"]) if self.intercept else None
        if replaced is None:
            self.call("Fetch.continueRequest", requestId=parameters["requestId"])
        else:
            status, body = replaced
            self.call("Fetch.fulfillRequest", requestId=parameters["requestId"], responseCode=status,
                      responseHeaders=[{"name": "Content-Type", "value": "application/json"}],
                      body=base64.b64encode(body.encode()).decode())

    def call(self, method, **parameters):
        with self.lock:
            self.number += 1
            number = self.number
            message = {"id": number, "method": method, "params": parameters}
            if self.session:
                message["sessionId"] = self.session
            os.write(self.commands, json.dumps(message).encode() + b"\0")
            if not self.lock.wait_for(lambda: number in self.replies, timeout=30):
                raise RuntimeError(f"the browser does not answer {method}")
            reply = self.replies.pop(number)
        if "error" in reply:
            raise RuntimeError(f"{method}: {reply['error']['message']}")
        return reply.get("result", {})

    def open(self, url, width=1280, height=900, scheme="light"):
        self.look(width, height, scheme)
        self.call("Page.navigate", url=url)

    def look(self, width, height, scheme):
        """The window's size, and whether the system is dark."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def intercepting(self, pattern, answer):
        self.intercept = answer
        self.call("Fetch.enable", patterns=[{"urlPattern": pattern}])

    def stop_intercepting(self):
        self.intercept = None
        self.call("Fetch.disable")

    def run(self, script):
        """The value of a JavaScript expression."""
        reply = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in reply:
            raise RuntimeError(f"{script}: {reply['exceptionDetails'].get('exception', {}).get('description')}")
        return reply["result"].get("value")

    def wait(self, script, seconds=20):
        """Until an expression is true; false where it did not become so."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.run(script):
                return True
            time.sleep(0.1)
        return False

    def key(self, name, text=None):
        for kind in ["keyDown", "keyUp"]:
            press = {"type": kind, "key": name, "code": name}
            if name in ("Enter", "Tab"):
                press["windowsVirtualKeyCode"] = {"Enter": 13, "Tab": 9}[name]
            if kind == "keyDown" and text:
                press["text"] = text
            self.call("Input.dispatchKeyEvent", **press)

    def type(self, text):
        self.call("Input.insertText", text=text)

    def picture(self, path, height=None):
        """The page as PNG, or the first pixels of its height."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        image = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, optimizeForSpeed=False,
                          clip={"x": 0, "y": 0, "width": size["width"], "height": min(height or size["height"], size["height"]), "scale": 1})
        with open(path, "wb") as file:
            file.write(base64.b64decode(image["data"]))
