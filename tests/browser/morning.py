#!/usr/bin/env python3
"""An agent's morning on the console, in a real browser, and a supervisor's look over it.

Every step is asserted by what the page shows; pictures of them go to the folder in PICTURES, if it is set.
Exits 0 when the morning went well.
"""

import os
import pathlib
import re
import shutil
import sys

from playwright.sync_api import Page, expect, sync_playwright

from hub import KIOSK_TOKEN, Hub

AGENT = ("ana", "Ana Torres", "ventanilla cuatro lluvia")
CHIEF = ("jefa", "Jefa de sala", "sala de espera tranquila")


class Morning:
    def __init__(self, hub: Hub, page: Page):
        self.hub, self.page = hub, page
        self.pictures = os.environ.get("PICTURES")
        self.taken = 0

    def picture(self, name: str):
        if self.pictures:
            self.taken += 1
            folder = pathlib.Path(self.pictures)
            folder.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=folder / f"{self.taken:02}-{name}.png")

    def shows_turn(self, number: str):
        expect(self.page.locator(".turn .number")).to_have_text(number)

    def may(self, move: str):
        expect(self.page.locator(f'button[name=move][value="{move}"]').first).not_to_have_class(re.compile(r"\boff\b"))

    def may_not(self, move: str):
        expect(self.page.locator(f'button[name=move][value="{move}"]').first).to_have_class(re.compile(r"\boff\b"))

    def press(self, key: str):
        self.page.keyboard.press(key)

    def status(self, number: str) -> str:
        return self.hub.call("GET", f"/turns/{number}")["status"]

    def enter(self, person):
        login, _, password = person
        self.page.goto(self.hub.console)
        self.page.fill('input[name="login"]', login)
        self.page.fill('input[name="password"]', password)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(re.compile(r"/console(/|$)(?!login)"))

    def leave(self):
        self.page.locator('form[action="/console/logout"] button').click()
        expect(self.page.locator('input[name="login"]')).to_be_visible()

    # The agent.

    def a_wrong_password_is_said(self):
        self.page.goto(self.hub.console)
        self.page.fill('input[name="login"]', AGENT[0])
        self.page.fill('input[name="password"]', "otra cosa")
        self.page.keyboard.press("Enter")
        expect(self.page.locator(".note.bad")).to_be_visible()
        self.picture("wrong-password")

    def chooses_a_counter(self):
        self.enter(AGENT)
        tiles = self.page.locator(".tiles button")
        expect(tiles).to_have_count(2)
        self.picture("counters")
        tiles.filter(has_text="4").first.click()
        self.page.wait_for_url("**/console/agent")
        self.shows_turn("–")
        opens = self.page.locator('button[name=move][value="open"]')
        if opens.count():
            opens.click()
        self.may("next")
        self.may_not("start")
        self.picture("counter-open")

    def calls_and_attends(self):
        self.press("F2")
        self.shows_turn("T-001")
        self.may_not("next")
        self.picture("called")
        # What cannot be done now does nothing: the turn stays.
        self.press("F2")
        self.shows_turn("T-001")
        self.press("F3")
        expect(self.page.locator(".turn .facts")).to_contain_text("2 veces")
        self.press("F4")
        self.may("finish")
        self.picture("attending")
        assert self.status("T-001") == "serving"
        self.press("F6")
        self.shows_turn("–")
        assert self.status("T-001") == "finished"

    def parks_and_resumes(self):
        self.press("F2")
        self.shows_turn("T-002")
        self.press("F4")
        self.may("park")
        self.press("F9")
        dialog = self.page.locator("#ask-park")
        expect(dialog).to_be_visible()
        self.picture("park-why")
        why = dialog.locator(".picks button").first.inner_text()
        dialog.locator(".picks button").first.click()
        self.shows_turn("–")
        parked = self.page.locator("form.parked")
        expect(parked).to_contain_text("T-002")
        expect(parked).to_contain_text(why)
        self.picture("parked")
        parked.locator("button").click()
        self.shows_turn("T-002")
        self.press("F4")
        self.may("finish")
        self.press("F6")
        self.shows_turn("–")

    def transfers(self):
        self.press("F2")
        self.shows_turn("T-003")
        self.press("F8")
        dialog = self.page.locator("#ask-transfer")
        expect(dialog).to_be_visible()
        self.picture("transfer")
        dialog.locator(".picks button", has_text="Catastros").click()
        self.shows_turn("–")
        turn = self.hub.call("GET", "/turns/T-003")
        assert (turn["status"], turn["queue"]) == ("waiting", "catastro"), turn

    def marks_absent_and_takes_back(self):
        self.press("F2")
        self.shows_turn("T-004")
        self.press("F7")
        self.shows_turn("–")
        assert self.status("T-004") == "no_show"
        absent = self.page.locator("a.chip", has_text="T-004")
        expect(absent).to_be_visible()
        absent.click()
        expect(self.page.locator("main h2")).to_contain_text("T-004")
        self.picture("absent-turn")
        self.page.locator('button[value="rejoin"]').click()
        expect(self.page.locator('button[value="rejoin"]')).to_have_count(0)
        assert self.status("T-004") == "waiting"
        self.picture("back-in-line")

    def calls_one_out_of_turn(self):
        self.page.goto(f"{self.hub.console}/find?q=t6")
        expect(self.page.locator("main h2")).to_contain_text("T-006")
        call = self.page.locator('button[value="call"]')
        # Without a reason the browser itself says what is missing.
        call.click()
        assert self.status("T-006") == "waiting"
        self.page.fill("#reason", "Trae a un bebé enfermo")
        self.picture("out-of-turn")
        call.click()
        self.page.wait_for_url("**/console/agent")
        self.shows_turn("T-006")
        self.press("F4")
        self.may("finish")
        self.press("F6")
        self.shows_turn("–")
        self.page.goto(f"{self.hub.console}/find?q=T-006")
        expect(self.page.locator("main table")).to_contain_text("Trae a un bebé enfermo")
        self.picture("life-of-a-turn")

    def says_that_the_system_is_down(self):
        self.page.goto(f"{self.hub.console}/agent")
        self.page.locator('[data-open="ask-down"]').click()
        dialog = self.page.locator("#ask-down")
        dialog.locator('input[name="note"]').fill("El SRI no responde")
        self.picture("system-down-ask")
        dialog.locator(".picks button", has_text="Tributos").click()
        self.page.wait_for_url("**/console/agent")
        note = self.page.locator("form.note.bad", has_text="Tributos")
        expect(note).to_be_visible()
        self.picture("system-down")
        queues = {queue["id"]: queue for queue in self.hub.call("GET", "/queues")}
        assert "El SRI no responde" in str(queues["tributos"]), queues
        note.locator("button").click()
        expect(self.page.locator("form.note.bad")).to_have_count(0)

    def answers_a_call_for_help(self):
        self.hub.call("POST", "/kiosks/k1/help", {"step": "review"}, KIOSK_TOKEN)
        note = self.page.locator("form.note.help")
        expect(note).to_contain_text("k1")
        self.picture("help")
        note.locator("button").click()
        expect(self.page.locator("form.note.help")).to_have_count(0)
        assert self.hub.call("GET", "/help") == []

    def pauses_and_closes(self):
        self.page.locator('button[value="pause"]').click()
        dialog = self.page.locator("#ask-pause")
        expect(dialog).to_be_visible()
        dialog.locator(".picks button").first.click()
        expect(self.page.locator('button[name=move][value="open"]')).to_be_visible()
        self.picture("pause")
        self.page.locator('button[name=move][value="open"]').click()
        self.may("next")
        self.page.locator('button[name=move][value="close"]').click()
        # Whoever closed a counter may choose another.
        expect(self.page.locator(".tiles button")).to_have_count(2)

    # The supervisor.

    def watches_over_the_office(self):
        self.enter(CHIEF)
        self.page.goto(f"{self.hub.console}/office")
        expect(self.page.locator("main table").first).to_contain_text("Tributos")
        expect(self.page.locator(".ctile")).to_have_count(2)
        self.picture("office")
        self.page.goto(f"{self.hub.console}/office/calls")
        expect(self.page.locator("main")).to_contain_text("Trae a un bebé enfermo")
        self.picture("calls")
        self.page.goto(f"{self.hub.console}/steer")
        row = self.page.locator("form", has=self.page.locator('input[value="catastro"]')).first
        row.locator('button[value="stop"]').click()
        expect(self.page.locator('button[value="resume"]')).to_have_count(1)
        self.picture("steer")
        self.page.locator('button[value="resume"]').click()
        expect(self.page.locator('button[value="resume"]')).to_have_count(0)

    def reads_the_report(self):
        self.page.goto(f"{self.hub.console}/report")
        main = self.page.locator("main")
        expect(main).to_contain_text("Trae a un bebé enfermo")
        report = self.hub.call("GET", "/reports/day")
        figures = [int(text) for text in self.page.locator(".keys b").all_inner_texts() if text.isdigit()]
        finished = sum(1 for event in self.events() if event["type"] == "finished")
        assert finished in figures, (finished, figures, report)
        self.picture("report")

    def events(self):
        import json
        import urllib.request

        request = urllib.request.Request(
            f"{self.hub.base}/api/v1/events", headers={"Authorization": f"Bearer {self.hub.token}"}
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as answer:
            return [json.loads(line) for line in answer.read().decode().splitlines()]

    def run(self):
        for number in range(6):
            self.hub.ticket("tributos", "general")
        self.hub.ticket("catastro", "priority")
        steps = [
            self.a_wrong_password_is_said,
            self.chooses_a_counter,
            self.calls_and_attends,
            self.parks_and_resumes,
            self.transfers,
            self.marks_absent_and_takes_back,
            self.calls_one_out_of_turn,
            self.says_that_the_system_is_down,
            self.answers_a_call_for_help,
            self.pauses_and_closes,
            self.leave,
            self.watches_over_the_office,
            self.reads_the_report,
            self.leave,
        ]
        for step in steps:
            try:
                step()
            except Exception:
                self.picture(f"failed-{step.__name__}")
                print(f"browser: failed at {step.__name__}")
                raise


def main() -> int:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        print("browser: not run, there is no chromium")
        return 0
    hub = Hub()
    hub.person(*AGENT[:2], "agent", AGENT[2])
    hub.person(*CHIEF[:2], "supervisor", CHIEF[2])
    with hub, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--no-proxy-server", "--disable-dev-shm-usage"]
        )
        # The old PC of a counter.
        page = browser.new_page(viewport={"width": 1280, "height": 720}, locale="es-EC")
        page.set_default_timeout(20_000)
        expect.set_options(timeout=20_000)
        troubles = []
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("response", lambda answer: answer.status >= 500 and troubles.append(f"{answer.status} {answer.url}"))
        morning = Morning(hub, page)
        morning.run()
        browser.close()
    if troubles:
        print("browser: the pages had troubles:", *troubles, sep="\n  ")
        return 1
    print("browser: an agent's morning went well")
    return 0


if __name__ == "__main__":
    sys.exit(main())
