"""Working days and working hours (工作日、工作时): what is due when, and why. Pure: time comes in as an argument."""

from worktime.calendars import Calendar, OfficeHours, YearList, national
from worktime.clock import Clock, ClockIsRunning, ClockIsStopped, Extension, Segment, TimeRunsBack
from worktime.counting import Due, Step, StepKind, due, due_date, working_days_between
from worktime.hours import due_hours, worked_minutes
from worktime.sentences import sentence

__all__ = [
    "Calendar",
    "Clock",
    "ClockIsRunning",
    "ClockIsStopped",
    "Due",
    "Extension",
    "OfficeHours",
    "Segment",
    "Step",
    "StepKind",
    "TimeRunsBack",
    "YearList",
    "due",
    "due_date",
    "due_hours",
    "national",
    "sentence",
    "worked_minutes",
    "working_days_between",
]
