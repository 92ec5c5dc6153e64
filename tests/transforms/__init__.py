"""Tests of the worked example's transforms: functions, called without a database."""
