import Programs
TrainCommand.start()
