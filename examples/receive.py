#!/usr/bin/python3
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""receive.py URI|FILE.sdp [INTERFACE]: the smallest application in Python.

Prints messages, and every two seconds statistics. SIGINT ends it with 0, an error
with 1. It does what receive.c does.
"""

import signal
import sys
import warnings

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402


class Application:
    def __init__(self, stream, interface):
        self.failed = False
        self.loop = GLib.MainLoop()
        self.pipeline = Gst.parse_launch("afxdpsrc name=source ! fakesink sync=false")
        self.source = self.pipeline.get_by_name("source")
        name = "uri" if Gst.uri_is_valid(stream) else "sdp-location"
        self.source.set_property(name, stream)
        # None: wherever its route leads
        self.source.set_property("multicast-iface", interface)

    def on_message(self, _bus, message):
        if message.type in (Gst.MessageType.ERROR, Gst.MessageType.WARNING):
            is_error = message.type == Gst.MessageType.ERROR
            parse = message.parse_error if is_error else message.parse_warning
            error, text = parse()
            print(error.message)
            if text:
                print(text)
            self.failed |= is_error
        elif message.type == Gst.MessageType.ELEMENT:
            if not message.has_name("GstAfxdpSrcStats"):
                print(message.get_structure().to_string())
        if message.type in (Gst.MessageType.ERROR, Gst.MessageType.EOS):
            self.loop.quit()
        return GLib.SOURCE_CONTINUE

    def on_signal(self):
        # The end of the stream goes through the pipeline, so that a file is complete.
        self.pipeline.send_event(Gst.Event.new_eos())
        return GLib.SOURCE_CONTINUE

    def print_stats(self):
        stats = self.source.get_property("stats")
        packets, lost = stats.get_value("packets"), stats.get_value("lost")
        print(f"packets {packets} lost {lost}")
        # get_value() knows no array unless gst-python is installed.
        _, sources = stats.get_array("sources")
        for i in range(sources.n_values):
            source = sources.get_nth(i)
            ssrc, jitter = source.get_value("ssrc"), source.get_value("jitter")
            print(f"  SSRC {ssrc:08x} jitter {jitter}")
        return GLib.SOURCE_CONTINUE

    def run(self):
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message", self.on_message)
        GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGINT, self.on_signal)
        GLib.timeout_add_seconds(2, self.print_stats)
        # When this fails, an error is on the bus.
        self.pipeline.set_state(Gst.State.PLAYING)
        self.loop.run()
        self.print_stats()
        self.pipeline.set_state(Gst.State.NULL)
        return int(self.failed)


def main(arguments):
    sys.stdout.reconfigure(line_buffering=True)
    # GLib calls the type of get_array() deprecated; GStreamer has no other.
    warnings.filterwarnings("ignore", "GObject.ValueArray", DeprecationWarning)
    Gst.init(None)
    if not 2 <= len(arguments) <= 3:
        print("usage: receive.py URI|FILE.sdp [INTERFACE]", file=sys.stderr)
        return 1
    interface = arguments[2] if len(arguments) == 3 else None
    return Application(arguments[1], interface).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv))
